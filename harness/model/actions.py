"""What clients do in a conversation, and what the script waits for: one action a verb."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.model.cast import Entry, HistoryVisibility, Room

Outcome = Literal["ok", "any", "none"]
KeyChange = Literal["add", "retire"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One entry of an inbox: a message, a series in order, or several series merged in any way."""

    pointer: str
    written: str
    series: tuple[tuple[str, ...], ...]
    """One inner tuple of message ids: a single message or a series. Several: `interleaved`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Bring clients online; done when all are ready."""

    verb: Literal["connect"] = "connect"
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Take clients offline; their processes live on."""

    verb: Literal["disconnect"] = "disconnect"
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make a room; its maker is a member and an admin of it."""

    verb: Literal["create"] = "create"
    by: str
    """A client."""
    room: str
    members: tuple[str, ...] = ()
    """Users, its maker's among them."""
    admins: tuple[str, ...] = ()
    """Users, its maker's among them."""
    history: HistoryVisibility = "since_join"
    entry: Entry = "invite"

    def made(self) -> Room:
        """Return the room that comes of it."""
        return Room(
            name=self.room, members=self.members, admins=self.admins, history=self.history, entry=self.entry
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Enter a room; done when all are in."""

    verb: Literal["join"] = "join"
    who: tuple[str, ...]
    """Clients."""
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Leave a room; done when all are out."""

    verb: Literal["leave"] = "leave"
    who: tuple[str, ...]
    """Clients."""
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Take others into a room."""

    verb: Literal["add"] = "add"
    users: tuple[str, ...]
    room: str
    by: str
    """A client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """Put others out of a room."""

    verb: Literal["kick"] = "kick"
    users: tuple[str, ...]
    room: str
    by: str
    """A client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one message, or a series when `repeat` is set; done when the last one is answered."""

    verb: Literal["send"] = "send"
    senders: tuple[str, ...]
    """Clients. Almost always one; several send at once, each its own message: then ids are `id.NAME[.n]`."""
    room: str
    text: str
    """As written; `${n}` stands for the number in the series."""
    id: str
    """The author's id, or `@LINE`."""
    outcome: Outcome = "ok"
    repeat: int | None = None
    every_ns: int = 0

    def messages(self) -> Iterator[tuple[str, str, str]]:
        """Yield (sender, message id, text) of each message, in the order of sending."""
        for number in range(1, (self.repeat or 1) + 1):
            for sender in self.senders:
                parts = [self.id]
                if len(self.senders) > 1:
                    parts.append(sender)
                if self.repeat is not None:
                    parts.append(str(number))
                yield sender, ".".join(parts), self.text.replace("${n}", str(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Send messages again, each by its sender and under its client message id; at once."""

    verb: Literal["resend"] = "resend"
    ids: tuple[str, ...]
    """Message ids; a series stands here expanded."""
    senders: tuple[str, ...]
    """The client who sent each of `ids`."""
    written: str
    """What the author wrote after `resend:`, for sentences."""
    outcome: Outcome = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Read once, without waiting for anything new; done when caught up with all that was answered before."""

    verb: Literal["poll"] = "poll"
    who: tuple[str, ...]
    """Clients that receive by hand."""
    gets: tuple[InboxItem, ...] | None = None
    """Exactly what the poll of each of them must bring, in order; None says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Acknowledge by hand what was received."""

    verb: Literal["ack"] = "ack"
    who: tuple[str, ...]
    """Clients."""
    through: str | None = None
    """The message up to which, in its room; None is everything received so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """Say who must, and who must not, have received messages; done when fulfilled or overdue."""

    verb: Literal["expect"] = "expect"
    ids: tuple[str, ...]
    """Message ids; a series `line.*` stands here expanded, in order."""
    written: str
    """What the author wrote after `expect:`, for sentences."""
    received_by: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Wait until the server keeps messages no more; done when none of them is there."""

    verb: Literal["gone"] = "gone"
    ids: tuple[str, ...]
    """Message ids; a series stands here expanded."""
    written: str
    """What the author wrote after `gone:`, for sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Change the keys by which the server knows tokens, while it runs."""

    verb: Literal["rotate_keys"] = "rotate_keys"
    change: KeyChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let scenario time pass, or wait until a fault is over."""

    verb: Literal["wait"] = "wait"
    duration_ns: int
    fault: str | None = None
    """The id of the fault whose end is awaited; then `duration_ns` is 0."""
