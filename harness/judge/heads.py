"""How far each room's log can have reached: what nobody may acknowledge beyond.

The head is not known for sure. It is at most the highest sequence told (in an answer, a delivery, the audit or a
claim), and one more for each entry that nobody was told the sequence of and that may stand behind that one: sends
that are open or were answered without a sequence, and changes of membership likewise. That holds where sequences
are dense; elsewhere an untold entry may stand anywhere, and nothing can be said while there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.judge.messages import NEVER, Message


@dataclass(slots=True)
class Entry:
    """A change of membership: it may have taken a sequence."""

    invoked: int
    answered: int = NEVER
    sequence: int | None = None
    refused: bool = False


class Heads:
    """What was told of the ends of all rooms."""

    def __init__(self) -> None:
        self.told: dict[str, int] = {}
        """The highest sequence that was told so far, by room; for a first look."""
        self.claims: dict[str, int] = {}
        """The furthest claim so far, by room."""
        self._changes: dict[str, dict[int | None, Entry]] = {}

    def heard(self, room: str, sequence: int) -> None:
        """Somebody was told that something stands at this sequence."""
        if sequence > self.told.get(room, -1):
            self.told[room] = sequence

    def claimed(self, room: str, through: int) -> None:
        """Somebody was told that the room is complete through here, so that it reaches as far."""
        self.claims[room] = max(through, self.claims.get(room, through))
        self.heard(room, through)

    def changing(self, room: str, op: int | None, index: int) -> None:
        """A change of membership was invoked."""
        self._changes.setdefault(room, {})[op] = Entry(index)

    def changed(self, room: str, op: int | None, index: int, sequence: int | None, *, refused: bool) -> None:
        """It ended."""
        entry = self._changes.get(room, {}).get(op)
        if entry is not None:
            entry.answered, entry.sequence, entry.refused = index, sequence, refused
        if sequence is not None:
            self.heard(room, sequence)

    def at_most(
        self, room: str, said: Iterable[Message], members: int, until: int, claimed: int
    ) -> tuple[int | None, int]:
        """Return the furthest that a room can have reached before a moment, and the op that shows how far it had.

        Args:
            room: which.
            said: its messages, phantoms too.
            members: how many were in it when it was made: its creation took up to so many sequences, and one.
            until: op index; what was invoked later was not there.
            claimed: through where the room had been claimed complete by then, so that it reached as far.

        Returns:
            (sequence, op index or -1); the sequence is None when nothing can be said.
        """
        entries = [
            (message.first_invoke, message.acked_at, message.sequence, message.sequence_at)
            for message in said
            if not message.refused and (message.first_invoke < until or not message.tries)
        ]
        entries += [
            (entry.invoked, entry.answered, entry.sequence, entry.answered)
            for entry in self._changes.get(room, {}).values()
            if entry.invoked < until and not entry.refused
        ]
        known = [entry for entry in entries if entry[2] is not None]
        highest = max(known, key=lambda entry: entry[2] or 0, default=None)
        top = -1 if highest is None or highest[2] is None else highest[2]
        since = -1 if highest is None else highest[0]
        untold = sum(sequence is None and answered > since for _, answered, sequence, _ in entries)
        if highest is None:
            untold += 1 + members
        bound = max(top, claimed)
        dense = bound <= 1 + members + len(entries)
        if untold and not dense:
            return None, -1
        return max(bound, 0) + untold, -1 if highest is None else highest[3]
