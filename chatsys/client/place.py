"""Where one receiver stands: what was handed over to the application, and how new its view of the server is.

Pure: no I/O, no clock. A `Place` outlives connections; give it to the next `Client` of the same process and
no message comes twice.

Invariants:
* A message is handed over once: whatever comes again at or below the point handed over is dropped here.
* The end of one membership is told once, and is no reading: what had not been handed over by then comes when a new
  membership shows it.
* Within one stream the deltas of a room join without a hole (`Chain`).
* `positions()` includes every position this place was told, or one at or after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chatsys.v1.chat_pb2 import Ack, RoomDelta
from chatsys.v1.types_pb2 import Message

#: min_positions takes 1,000; the caller's own must fit beside ours.
MAX_OWN_POSITIONS = 500


class Delta(NamedTuple):
    """What the server said about one room, less what the application already has.

    It claims to be everything for this consumer in (after, through].
    """

    room: str
    after: int
    through: int
    messages: tuple[Message, ...]
    lost_through: int
    """When not 0, entries up to here were removed before they were read."""
    ended: bool
    """The membership ended at `through`."""


class Place:
    """What was handed over, room by room, and the positions seen."""

    __slots__ = ("_ended", "_handed", "_positions")

    def __init__(self) -> None:
        self._handed: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        self._positions: dict[str, None] = {}

    def take(self, delta: RoomDelta) -> Delta | None:
        """Mark a delta as handed over and return what is new in it; None when nothing is worth telling.

        A repeated end of a membership is not worth telling. An empty claim is.
        """
        room, through = delta.room_id, delta.through_sequence
        if delta.membership_ended:
            if through <= self._ended.get(room, -1):
                return None
            self._ended[room] = through
        handed = self._handed.get(room, 0)
        messages = tuple(message for message in delta.messages if message.sequence > handed)
        if not delta.membership_ended:  # hearing of the end is not reading up to it
            self._handed[room] = max(handed, through, *(message.sequence for message in messages))
        return Delta(
            room,
            delta.after_sequence,
            through,
            messages,
            delta.lost_through_sequence,
            delta.membership_ended,
        )

    def resume_after(self, rooms: Iterable[str] = ()) -> list[Ack]:
        """Return where reading goes on; `rooms` limits it, empty means all."""
        wanted = set(rooms)
        return [
            Ack(room_id=room, sequence=self._handed.get(room, 0), ended_sequence=self._ended.get(room, 0))
            for room in self._handed | self._ended
            if not wanted or room in wanted
        ]

    def handed(self, room: str) -> int:
        """Return the sequence up to which this room was handed over, 0 when nothing was."""
        return self._handed.get(room, 0)

    def positions(self) -> tuple[str, ...]:
        """Return what a read must include so that it is no older than anything seen before."""
        return tuple(self._positions)

    def saw(self, position: str, instead_of: Iterable[str] = ()) -> None:
        """Remember a position. `instead_of` are positions that it is known to include.

        Positions cannot be compared, so the caller says which older ones it makes needless: for a read those
        it was asked to include, for a newly stored message those known before it was sent.
        """
        if not position:
            return
        for old in instead_of:
            self._positions.pop(old, None)
        self._positions[position] = None
        while len(self._positions) > MAX_OWN_POSITIONS:
            # Only after hundreds of writes at once without one read. The oldest are all but surely included.
            del self._positions[next(iter(self._positions))]

    def forget(self) -> None:
        """The log is another one now: all sequences and positions are void, reading starts at the cursors."""
        self._handed.clear()
        self._ended.clear()
        self._positions.clear()


class Chain:
    """Checks that the deltas of one stream join: each begins where the one before of its room ended."""

    __slots__ = ("_through",)

    def __init__(self) -> None:
        self._through: dict[str, int] = {}

    def joins(self, delta: RoomDelta) -> bool:
        """Add the next delta; False when something is missing between it and the one before."""
        room = delta.room_id
        expected = self._through.get(room)
        if expected is not None and delta.after_sequence != expected:
            return False
        if delta.membership_ended:
            self._through.pop(room, None)
        else:
            self._through[room] = delta.through_sequence
        return True
