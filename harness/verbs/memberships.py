"""Who is in which room at which step, as far as the script alone can tell, and what follows for who hears what.

A *stay* is one membership, from the step of the join to that of the leave or kick. What somebody surely hears, surely
does not, or may hear when a removal races with what is under way, is answered from stays, from who was online, and
from what the script demanded before.
"""

# ruff: noqa: SLF001 - the memberships of lanes are joined by the class itself
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.model.cast import Room

Reach = Literal["will", "may", "never"]
"""Whether a correct server brings a message to a client by the end of the script."""

BEFORE = -1
"""The step of memberships that are there from the start."""
OPEN = 1 << 60
"""The end of a stay that does not end."""


@dataclass(slots=True)
class Stay:
    """One membership, by numbers of steps."""

    since: int
    until: int = OPEN

    def spans(self, step: int) -> bool:
        """Whether somebody who acts at this step finds the membership there."""
        return self.since <= step < self.until


@dataclass(slots=True)
class Memberships:
    """All stays of a script, so far."""

    _stays: dict[tuple[str, str], list[Stay]] = field(default_factory=dict)
    _whole: dict[str, bool] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Rooms whose members change after they were made."""
    _shaken: list[tuple[str, str, range]] = field(default_factory=list)
    """(user, room, steps): who came or went in one lane while another could send, and when that was."""

    @classmethod
    def of(cls, rooms: Mapping[str, Room]) -> Memberships:
        """Return the memberships that are there before the first step."""
        found = cls()
        for room in rooms.values():
            found.made(room, BEFORE)
        return found

    def branch(self) -> Memberships:
        """Return the memberships as one lane of a `parallel` finds them."""
        stays = {who: [Stay(stay.since, stay.until) for stay in stays] for who, stays in self._stays.items()}
        return Memberships(stays, dict(self._whole), set(self.changed), list(self._shaken))

    def join(self, lanes: Sequence[Memberships], during: range) -> None:
        """Take in what the lanes of a `parallel` changed.

        Args:
            lanes: the memberships at the end of each.
            during: the numbers of the steps of all lanes; what is sent in one of them may come before or after a
                change in another.
        """
        before = {who: [(stay.since, stay.until) for stay in stays] for who, stays in self._stays.items()}
        for lane in lanes:
            self._whole |= lane._whole
            self.changed |= lane.changed
            self._shaken += [entry for entry in lane._shaken if entry not in self._shaken]
            for (user, room), stays in lane._stays.items():
                if [(stay.since, stay.until) for stay in stays] != before.get((user, room)):
                    self._stays[user, room] = stays
                    if len(lanes) > 1:
                        self._shaken.append((user, room, during))

    def made(self, room: Room, step: int) -> None:
        """A room is there, with its first members."""
        self._whole[room.name] = room.history == "whole_room"
        for user in room.members:
            self._stays[user, room.name] = [Stay(step)]

    def begin(self, users: Iterable[str], room: str, step: int) -> None:
        """These users join, or are added."""
        self.changed.add(room)
        for user in users:
            if not self.now(user, room):
                self._stays.setdefault((user, room), []).append(Stay(step))

    def end(self, users: Iterable[str], room: str, step: int) -> None:
        """These users leave, or are removed."""
        self.changed.add(room)
        for user in users:
            if self.now(user, room):
                self._stays[user, room][-1].until = step

    def now(self, user: str, room: str) -> bool:
        """Whether the user is a member at this step."""
        stays = self._stays.get((user, room))
        return stays is not None and stays[-1].until == OPEN

    def ever(self, user: str, room: str) -> bool:
        """Whether the user is, or was, a member."""
        return (user, room) in self._stays

    def reach(self, user: str, room: str, sent: int, *, got: bool, raced: bool) -> Reach:
        """Say whether a message of step `sent` reaches a user's device in the end.

        Args:
            user: who would receive it; not its sender.
            room: where it was sent.
            sent: the step that sends it.
            got: whether the script demands that the device has it before a removal.
            raced: whether the device might have got it before a removal.
        """
        stays = self._stays.get((user, room), ())
        # Who rejoins goes on where reading ended; what had not been read then is still to come.
        whole = self._whole.get(room, False)
        covering = [stay for stay in stays if stay.spans(sent) or (whole and stay.since > sent)]
        if not got and any(
            (user, room) == (who, where) and sent in during for who, where, during in self._shaken
        ):
            return "may"
        if not covering:
            return "never"
        if got or covering[-1].until == OPEN:
            return "will"
        return "may" if raced else "never"
