"""Facts about membership: who was, or may have been, a member of which room, and when.

A *stay* is one membership: possible from the invocation of the join to the answer of the leave or kick;
certain from the join's answer to the leave's invocation. Moments are op indices.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.judge.messages import NEVER, Message

BEFORE_ALL = -1
"""Below every sequence of a room, 0 included: who has been there from the start sees what stands beyond this."""


class Stay:
    """One user's membership of one room, from one join to the leave or kick that ended it."""

    __slots__ = (
        "certain_from",
        "certain_until",
        "end_sequence",
        "join_sequence",
        "joins",
        "possible_from",
        "possible_until",
        "removals",
        "room",
        "user",
        "whole_room",
    )

    def __init__(self, user: str, room: str, possible_from: int, *, whole_room: bool) -> None:
        self.user = user
        self.room = room
        self.whole_room = whole_room
        self.possible_from = possible_from
        self.certain_from = NEVER
        self.joins = 0
        """How many joins and additions may have begun it: those that were not refused."""
        self.removals = 0
        """How many leaves and kicks may have ended it: those that were not refused."""
        self.join_sequence: int | None = None
        self.certain_until = NEVER
        self.possible_until = NEVER
        self.end_sequence: int | None = None

    def certain(self, index: int) -> bool:
        """Whether the user surely is a member at this moment."""
        return self.certain_from <= index < self.certain_until

    def spans(self, start: int, end: int) -> bool:
        """Whether the user surely is a member all the time between two moments."""
        return self.certain_from < start and end < self.certain_until

    def surely_shown(self, message: Message) -> int:
        """Return since when what the server says of the room surely speaks of this message, too.

        To who joins a room that shows all of it, the message becomes visible by the join, which may be done at any
        moment until it is answered. Everywhere else a state that includes a visible message includes the join.
        """
        return self.certain_from if self.whole_room and message.first_invoke < self.certain_from else -1

    def hides(self, message: Message, sequence: int | None) -> bool:
        """Whether the message was there before the join, in a room that shows nothing from before."""
        if self.whole_room:
            return False
        if sequence is not None and self.join_sequence is not None:
            return sequence <= self.join_sequence
        return message.exists_at < self.possible_from

    def shows(self, sequence: int) -> bool:
        """Whether what stands at this sequence is surely visible to the member."""
        if self.whole_room:
            return True
        return self.join_sequence is not None and sequence > self.join_sequence


class Members:
    """All stays of a history."""

    def __init__(self) -> None:
        self._stays: dict[tuple[str, str], list[Stay]] = {}
        self._whole: dict[str, bool] = {}
        self.users: dict[str, set[str]] = {}
        """Everybody who ever may have been a member, by room."""
        self.founders: dict[str, int] = {}
        """How many were in each room when it was made."""

    def making(self, room: str, users: Iterable[str], history: object, index: int) -> None:
        """The creation of a room with these members was invoked."""
        self._whole[room] = history == "whole_room"
        users = tuple(users)
        self.founders[room] = len(users)
        for user in users:
            self._asked(user, room, index)

    def made(self, room: str, users: Iterable[str], index: int) -> None:
        """It was answered: the room stands, and its first members see all of it."""
        for user in users:
            self.joined(user, room, index, BEFORE_ALL)

    def knows(self, room: str) -> bool:
        """Whether the room is known at all."""
        return room in self._whole

    def joining(self, user: str, room: str, index: int) -> None:
        """A join of, or an addition of, this user was invoked."""
        self._asked(user, room, index)

    def joined(self, user: str, room: str, index: int, sequence: int | None) -> None:
        """It was answered: the membership is certain, and sees what comes after this sequence."""
        stay = self.latest(user, room)
        if stay is not None and stay.certain_from == NEVER:
            stay.certain_from = index
            stay.join_sequence = sequence

    def not_joined(self, user: str, room: str) -> None:
        """It was refused; an earlier one that was never answered may still have been done."""
        stays = self._stays.get((user, room))
        if stays and stays[-1].certain_from == NEVER:
            stays[-1].joins -= 1
            if not stays[-1].joins:
                stays.pop()

    def leaving(self, user: str, room: str, index: int) -> None:
        """A leave or kick was invoked: from here on the user may be no member."""
        stay = self.latest(user, room)
        if stay is not None and stay.possible_until == NEVER:
            stay.certain_until = min(stay.certain_until, index)
            stay.removals += 1

    def left(self, user: str, room: str, index: int, sequence: int | None) -> None:
        """It was answered."""
        stay = self.latest(user, room)
        if stay is not None and stay.possible_until == NEVER:
            stay.possible_until = index
            stay.end_sequence = sequence

    def not_left(self, user: str, room: str) -> None:
        """It was refused: the user stayed, unless another one may have been done."""
        stay = self.latest(user, room)
        if stay is not None and stay.possible_until == NEVER and stay.removals:
            stay.removals -= 1
            if not stay.removals:
                stay.certain_until = NEVER

    def latest(self, user: str, room: str) -> Stay | None:
        """Return the newest stay, ended or not."""
        stays = self._stays.get((user, room))
        return stays[-1] if stays else None

    def stays(self, user: str, room: str) -> list[Stay]:
        """Return all stays of a user in a room, in order."""
        return self._stays.get((user, room), [])

    def _asked(self, user: str, room: str, index: int) -> None:
        stay = self.latest(user, room)
        if stay is None or stay.certain_until != NEVER:
            stay = Stay(user, room, index, whole_room=self._whole.get(room, False))
            self._stays.setdefault((user, room), []).append(stay)
            self.users.setdefault(room, set()).add(user)
        stay.joins += 1
