"""Facts about reading: who got what in which room, how far they were read, and what was claimed to them.

* A *reader* is one consumer of one user: one cursor a room. Usually it is one client.
* A *shelf* is one reader's reading of one room. A *leg* of it is the part that one process read during one
  stay: inside a leg sequences only rise, and it begins at the reader's resume point.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from harness.judge.fences import Fence
from harness.judge.members import BEFORE_ALL, Stay
from harness.judge.messages import NEVER, Message


class Leg:
    """What one process read of one room during one stay."""

    __slots__ = (
        "claims",
        "frame",
        "frontier",
        "frontier_at",
        "highest",
        "highest_at",
        "highest_of",
        "process",
        "start",
        "stay",
        "throughs",
        "via",
    )

    def __init__(self, process: Process, stay: Stay | None, start: int) -> None:
        self.process = process
        self.stay = stay
        """None while the reader is surely no member."""
        self.start = start
        """The resume point, its high end: nothing at or below it is due."""
        self.frontier = start
        """The furthest sequence delivered or claimed."""
        self.frontier_at = -1
        self.highest: int | None = None
        """The highest sequence delivered."""
        self.highest_of: Message | None = None
        self.highest_at = -1
        self.claims: list[tuple[int, int, int]] = []
        """(after, through, op index), through rising."""
        self.throughs: list[int] = []
        self.via: int | None = None
        self.frame = 0
        """How many claims there were when it last got something."""

    def pass_over(self, sequence: int, index: int) -> None:
        """The process was read up to this sequence."""
        if sequence > self.frontier:
            self.frontier, self.frontier_at = sequence, index

    def claim(self, after: int, through: int, index: int) -> None:
        """The server claimed that all of (after, through] was handed over."""
        if not self.throughs or through > self.throughs[-1]:
            self.claims.append((after, through, index))
            self.throughs.append(through)

    def claimed(self, sequence: int, since: int) -> int | None:
        """Return the index of the first claim after a moment that reaches this sequence, if it covers it."""
        at = self._reaching(sequence, since)
        return self.claims[at][2] if at is not None and self.claims[at][0] < sequence else None

    def claimed_beyond(self, sequence: int, since: int) -> int | None:
        """Return the index of the first claim after a moment that reaches this sequence, if only to skip it."""
        at = self._reaching(sequence, since)
        return self.claims[at][2] if at is not None else None

    def passed(self, sequence: int, since: int) -> int | None:
        """Return the index of a claim or delivery after a moment by which it was read past this sequence."""
        if self.highest is not None and self.highest > sequence and self.highest_at > since:
            return self.highest_at
        return self.claimed_beyond(sequence, since)

    def _reaching(self, sequence: int, since: int) -> int | None:
        at = max(bisect_left(self.throughs, sequence), bisect_right(self.claims, since, key=_claimed_at))
        return at if at < len(self.claims) else None


def _claimed_at(claim: tuple[int, int, int]) -> int:
    return claim[2]


class Declared:
    """How far a server said that messages are lost to retention: of those that had been sent by then."""

    __slots__ = ("at", "through")

    def __init__(self) -> None:
        self.through = BEFORE_ALL
        self.at = -1

    def raise_to(self, through: int, index: int) -> None:
        """It was declared; said again, it declares nothing new."""
        if through > self.through:
            self.through, self.at = through, index

    def excuses(self, message: Message) -> bool:
        """Whether it was said of this message. Nothing is lost to retention before it is sent."""
        sequence = message.sequence
        return sequence is not None and sequence <= self.through and message.first_invoke < self.at


class Shelf:
    """One reader's reading of one room."""

    __slots__ = (
        "_asked",
        "_high",
        "_lows",
        "_lows_at",
        "again",
        "claimed",
        "first",
        "legs",
        "lost",
        "peak",
        "room",
        "running",
    )

    def __init__(self, room: str) -> None:
        self.room = room
        self.first: dict[Message, int] = {}
        """First deliveries: op index."""
        self.again: dict[Message, int] = {}
        """Latest delivery of what was delivered more than once."""
        self.lost = Declared()
        """What the server declared to this reader to be lost to retention."""
        self.claimed = BEFORE_ALL
        """The highest sequence that any claim reached."""
        self.peak = -1
        """The highest sequence of a first delivery."""
        self.legs: list[Leg] = []
        self.running: dict[str, Leg] = {}
        """The leg under way, by process."""
        self._high = BEFORE_ALL
        self._asked: dict[int, int] = {}
        """Acknowledgements that are not answered, by `op`."""
        self._lows: list[int] = []
        self._lows_at: list[int] = []

    def acknowledging(self, op: int, sequence: int) -> None:
        """An acknowledgement was invoked."""
        self._asked[op] = sequence

    def not_acknowledged(self, op: int) -> None:
        """It was refused."""
        self._asked.pop(op, None)

    @property
    def high(self) -> int:
        """The highest sequence acknowledged, or perhaps acknowledged."""
        return max(self._high, *self._asked.values()) if self._asked else self._high

    def perhaps_acknowledged(self, op: int, sequence: int) -> None:
        """It ended, and was not refused."""
        self._asked.pop(op, None)
        self._high = max(self._high, sequence)

    def acknowledged(self, sequence: int, index: int) -> None:
        """It ended ok."""
        if not self._lows or sequence > self._lows[-1]:
            self._lows.append(sequence)
            self._lows_at.append(index)

    @property
    def acknowledges(self) -> bool:
        """Whether anything was surely acknowledged by now."""
        return bool(self._lows)

    def low(self, index: int = NEVER) -> int:
        """Return the highest sequence surely acknowledged before this index."""
        at = bisect_left(self._lows_at, index)
        return self._lows[at - 1] if at else BEFORE_ALL

    def acknowledged_at(self, sequence: int) -> int | None:
        """Return the index of the first acknowledgement of this sequence."""
        at = bisect_left(self._lows, sequence)
        return self._lows_at[at] if at < len(self._lows) else None

    def had(self, process: Process, message: Message) -> bool:
        """Whether this process got the message."""
        return self.first.get(message, -1) >= process.began or message in process.again


class Reader:
    """One consumer of one user."""

    __slots__ = (
        "_bounds",
        "_bounds_of",
        "_by_position",
        "_markers",
        "cause_at",
        "clients",
        "fences",
        "include_own",
        "name",
        "polled",
        "shelves",
        "user",
    )

    def __init__(self, name: str, user: str, *, include_own: bool) -> None:
        self.name = name
        self.user = user
        self.include_own = include_own
        self.clients: list[Client] = []
        self.polled = False
        """Whether some client of it reads by polls, which nobody takes over: each begins where was acknowledged."""
        self.shelves: dict[str, Shelf] = {}
        self.cause_at = -1
        """The latest thing that makes redelivery of what is unacknowledged legal: a reconnect, a restart."""
        self.fences: list[Fence] = []
        self._bounds: list[int] = []
        self._bounds_of: list[Fence] = []
        self._by_position: dict[str, Fence] = {}
        self._markers: dict[str, list[Fence]] = {}

    def shelf(self, room: str) -> Shelf:
        """Return its reading of a room."""
        shelf = self.shelves.get(room)
        if shelf is None:
            shelf = self.shelves[room] = Shelf(room)
        return shelf

    def fence(self, fence: Fence) -> None:
        """A fence, or a poll that reports a position, ended ok."""
        self.fences.append(fence)
        if fence.grade == "position":
            if not self._bounds or fence.bound > self._bounds[-1]:
                self._bounds.append(fence.bound)
                self._bounds_of.append(fence)
            for position in fence.positions:
                self._by_position.setdefault(position, fence)
        elif fence.markers:
            for room in fence.markers:
                self._markers.setdefault(room, []).append(fence)

    def by_position(
        self, message: Message, existed_at: int, since: int = -1, until: int = NEVER, begun: int = -1
    ) -> Fence | None:
        """Return the earliest position fence in (since, until), invoked after `begun`, that covers the message."""
        at = bisect_right(self._bounds, existed_at)
        found = self._bounds_of[at] if at < len(self._bounds_of) else None
        if message.position is not None and (other := self._by_position.get(message.position)) is not None:
            found = other if found is None or other.index < found.index else found
        if found is None or (since < found.index < until and found.invoked >= begun):
            return found
        if found.index >= until:
            return None
        for fence in self.fences:  # rare: the first one was before a later join
            if (
                since < fence.index < until
                and fence.invoked >= begun
                and fence.grade == "position"
                and fence.covers(message, existed_at)
            ):
                return fence
        return None

    def by_marker(
        self, message: Message, existed_at: int, since: int = -1, until: int = NEVER
    ) -> Fence | None:
        """Return the earliest marker fence in (since, until) whose sentinel stands after the message."""
        fences = self._markers.get(message.room, [])
        if until == NEVER:
            fences = fences[-1:]  # the last sentinel stands after all others
        for fence in fences:
            if since < fence.index < until and fence.covers(message, existed_at):
                return fence
        return None


class Client:
    """One client: its reader, and when it may have been connected."""

    __slots__ = ("heard", "name", "reader", "spans", "unreached")

    def __init__(self, name: str, reader: Reader) -> None:
        self.name = name
        self.reader = reader
        self.heard: dict[str, dict[Message, int]] = {}
        """First deliveries by room; kept only for clients that share a reader, else it is the reader's."""
        self.spans: list[list[int]] = []
        """[from, until] op indices; from the invocation of a connect to the answer of the disconnect."""
        self.unreached = False
        """Whether it could not be brought back in the final phase, so that its record is not whole."""

    def inbox(self, room: str) -> Mapping[Message, int]:
        """Return what it got in a room: op indices of first deliveries over all its incarnations, in order."""
        if len(self.reader.clients) > 1:
            return self.heard.get(room, {})
        shelf = self.reader.shelves.get(room)
        return shelf.first if shelf is not None else {}

    def connecting(self, index: int) -> None:
        """A connect was invoked."""
        if not self.spans or self.spans[-1][1] != NEVER:
            self.spans.append([index, NEVER])

    def refused(self, invoked: int) -> None:
        """The connect invoked then surely did not happen."""
        if self.spans and self.spans[-1][0] == invoked:
            self.spans.pop()

    def gone(self, index: int) -> None:
        """It surely is not connected any more."""
        if self.spans and self.spans[-1][1] == NEVER:
            self.spans[-1][1] = index

    def connected(self, start: int, end: int) -> bool:
        """Whether it may have been connected at any moment between two indices."""
        return any(since <= end and until >= start for since, until in reversed(self.spans))


class Process:
    """One incarnation of a client."""

    __slots__ = (
        "again",
        "began",
        "client",
        "connection_at",
        "lost_at",
        "name",
        "reader",
        "reconnected_at",
        "restored_at",
    )

    def __init__(self, name: str, client: Client, began: int) -> None:
        self.name = name
        self.client = client
        self.reader = client.reader
        self.began = began
        self.connection_at = began
        """When its connection last came or went."""
        self.lost_at = -1
        self.reconnected_at = -1
        """When the connection was lost that its driver has since found again: what comes now was asked for later."""
        self.restored_at = -1
        """When it was found again."""
        self.again: set[Message] = set()
        """What it got, though an earlier process had got it."""
