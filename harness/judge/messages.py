"""Facts about messages: who tried to send what, how that ended, and which sequences it was shown under.

A message is (room, sender *user*, client message id). A *try* is one send op; retries and resends of one id
are tries of one message. A message that somebody shows and nobody tried has no tries: a phantom.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from harness.matching import Standing

NEVER = sys.maxsize
"""An index after every op of a history."""


def integer(value: object) -> int | None:
    """Return the value if it is an integer (a bool is none), else None."""
    return value if type(value) is int else None


def text_of(value: object) -> str | None:
    """Return the value if it is text, else None."""
    return value if isinstance(value, str) else None


class Message:
    """One message, as far as the history has told by now."""

    __slots__ = (
        "acked_at",
        "audited_at",
        "error",
        "failed",
        "first_invoke",
        "id",
        "key",
        "open_at",
        "pointer",
        "position",
        "refusal",
        "room",
        "seen_at",
        "seen_by",
        "sender",
        "sequence",
        "sequence_at",
        "sequence_by",
        "sequences",
        "text",
        "texts",
        "tries",
    )

    def __init__(self, room: str, sender: str, key: str) -> None:
        self.room = room
        self.sender = sender
        self.key = key
        self.id: str | None = None
        self.text: str | None = None
        self.texts: set[str] | None = None
        """Other texts under which it was tried again."""
        self.pointer: str | None = None
        self.tries = 0
        self.failed = 0
        self.first_invoke = NEVER
        self.acked_at = NEVER
        self.open_at = NEVER
        """Index of the last completion `info`."""
        self.refusal = NEVER
        """Index of the last completion `fail`."""
        self.error: Mapping[str, Any] = {}
        """Of the last try that did not end ok."""
        self.position: str | None = None
        self.seen_at = NEVER
        """First sighting by anybody: a delivery, if only of an echo, or an audit read."""
        self.seen_by = ""
        self.audited_at = NEVER
        self.sequence: int | None = None
        """The first one told by anybody."""
        self.sequence_at = NEVER
        self.sequence_by = ""
        self.sequences: list[tuple[str, int, int, int]] | None = None
        """Once a second one was told, what everybody was told: (who, sequence, op index, op index at which
        they had been told one before, or -1)."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.id or self.key

    @property
    def acknowledged(self) -> bool:
        """Whether a try ended ok."""
        return self.acked_at != NEVER

    @property
    def refused(self) -> bool:
        """Whether every try ended fail."""
        return 0 < self.tries == self.failed

    @property
    def exists_at(self) -> int:
        """Index from which it surely exists: its acknowledgement or a sighting; NEVER if it may not exist."""
        return min(self.acked_at, self.seen_at)

    @property
    def standing(self) -> Standing:
        """What its sender knows of it."""
        if self.acknowledged:
            return "certain"
        if not self.tries:
            return "unsent"
        return "refused" if self.refused else "open"

    @property
    def open(self) -> bool:
        """Whether nobody knows from its sender if it happened: tried, and neither acknowledged nor refused."""
        return self.tries > 0 and self.acked_at == NEVER and self.failed < self.tries

    def tell_sequence(self, sequence: int, party: str, index: int, prior: int) -> None:
        """Note that the server told this party the message's sequence, after it had at `prior` if that is not -1."""
        if self.sequence is None:
            self.sequence, self.sequence_at, self.sequence_by = sequence, index, party
        elif self.sequences is not None or sequence != self.sequence:
            self.sequences = self.sequences or []
            self.sequences.append((party, sequence, index, prior))


class Messages:
    """Every message of a history, by what names it."""

    def __init__(self) -> None:
        self.all: dict[tuple[str, str, str], Message] = {}
        self.by_id: dict[str, Message] = {}
        """Messages of the plan."""
        self.by_room: dict[str, list[Message]] = {}
        """Messages that were tried, in the order of their first tries."""
        self._by_key: dict[tuple[str, str], Message] = {}
        self._by_name: dict[str, Message] = {}
        self._open: dict[int, Message] = {}

    def invoked(self, index: int, op: int | None, value: Mapping[str, Any], pointer: str | None) -> Message:
        """A try begins."""
        message = self.of(value)
        if not message.tries:
            message.first_invoke = index
            message.pointer = pointer
            message.text = text_of(value.get("text"))
            message.id = text_of(value.get("id"))
            self.by_room.setdefault(message.room, []).append(message)
            self._by_key[message.room, message.key] = message
            self._by_name.setdefault(message.key, message)
            if message.id is not None:
                self.by_id[message.id] = message
        elif (text := text_of(value.get("text"))) != message.text and text is not None:
            message.texts = {*(message.texts or ()), text}
        message.tries += 1
        if op is not None:
            self._open[op] = message
        return message

    def tried(self, op: int | None) -> Message | None:
        """Return the message of a send op that has not ended."""
        return self._open.pop(op, None) if op is not None else None

    def of(self, value: Mapping[str, Any]) -> Message:
        """Return the message a send, deliver or read speaks of, making it when it is new."""
        room = text_of(value.get("room")) or ""
        sender = text_of(value.get("sender"))
        key = text_of(value.get("client_message_id")) or ""
        if sender is not None and key and (known := self.all.get((room, sender, key))) is not None:
            return known  # so it is in almost every line
        key = key or text_of(value.get("id")) or text_of(value.get("text")) or ""
        if sender is None:  # a server that does not tell senders
            known = self._by_key.get((room, key))
            if known is not None:
                return known
            sender = ""
        name = (room, sender, key)
        message = self.all.get(name)
        if message is None:
            message = self.all[name] = Message(room, sender, key)
            message.id = text_of(value.get("id"))
        return message

    def keyed(self, room: str, key: str) -> Message | None:
        """Return the message tried in this room under this client message id."""
        return self._by_key.get((room, key))

    def namesake(self, message: Message) -> Message | None:
        """Return a message that was tried and that a phantom looks like: it has the same id."""
        if message.id is not None and (known := self.by_id.get(message.id)) is not None:
            return known
        return self._by_name.get(message.key)
