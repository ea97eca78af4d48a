"""``Stream``: one open Subscribe. From the cursor, each message once, deltas that chain, claims that hold.

One task reads, frames and writes; what comes meanwhile waits in the store and goes out with the next frame, so
that a busy room has large frames and a slow reader few. Invariants:

* a room's ``claimed`` is the through_sequence last written, and the next delta's after_sequence;
* ``read`` runs ahead of it over what is not for this consumer, so that nothing is read twice;
* at most ``window`` messages that were written are unacknowledged.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from functools import partial

from chatsys.errors import Reason, Refusal
from chatsys.server import frames
from chatsys.server.call import Call
from chatsys.server.deliveries import Span
from chatsys.server.hub import Hub, Watcher
from chatsys.server.polling import NOWHERE, Resume, reading_start, untold
from chatsys.server.reading import Consumer
from chatsys.server.services import House, clock_us
from chatsys.store import Place, Reads

HEARTBEAT = 10.0
"""Seconds after which a silent stream gets a frame; the contract says 15 at most."""
MAX_FRAME_MESSAGES = 1_000
MAX_FRAME_BYTES = 1024 * 1024
"""Of one frame; a longer backlog comes in several."""
SMALL_FRAME_BYTES = 16 * 1024
"""Of one frame while much is being written already."""
MUCH_BYTES = 32 * 1024 * 1024
"""Of all frames that are being written. Who does not read holds one frame: a thousand of them hold this, and a small
frame each."""
MAX_TOKENS = 1_000
"""Progress requests of one stream that wait."""


class _Room:
    """How far one room went in this stream."""

    __slots__ = ("claimed", "ended", "read", "unacked")

    def __init__(self, start: int) -> None:
        self.claimed = start
        self.read = start
        self.ended = False
        self.unacked: deque[list[int]] = deque()  # sequences, as they went out together; lists are shared


class Stream(Watcher):
    """The open stream of one consumer.

    Args:
        house: What it works with.
        call: The RPC.
        consumer: Who reads.
        only: The rooms it is confined to; None for all.
        resume: Where the application already is.
        window: See the contract, max_unacked_messages.
    """

    def __init__(
        self,
        house: House,
        call: Call,
        consumer: Consumer,
        only: frozenset[str] | None,
        resume: Resume,
        window: int,
    ) -> None:
        super().__init__(house.hub, consumer.user_id, only)
        self._house = house
        self._call = call
        self._consumer = consumer
        self._resume = resume
        self._left = window
        self._state: dict[str, _Room] = {}
        self._behind: set[str] = set()  # rooms with entries that no frame covers yet
        self._tokens: list[tuple[str, int]] = []
        self._spans: list[tuple[str, int, int]] = []  # what the frame that is being written holds
        self._first = ""  # the room whose turn it is
        self._opened = False
        self._replaced = False
        self._told = False  # that the server leaves
        self._key = (consumer.user_id, consumer.consumer_id)

    async def run(self, min_positions: list[str]) -> None:
        """Writes frames until the caller goes or somebody takes over.

        Raises:
            Refusal: SESSION_REPLACED, DRAINING, POSITION_NOT_REACHED, or an error of the request.
        """
        hub = self._house.hub
        self._take_over(hub)
        try:
            await self._house.reach(min_positions, self._call)
            self._enter(self._house.store.reads())
            loop = asyncio.get_running_loop()
            due = True
            while True:
                if self._replaced:
                    raise Refusal(
                        Reason.SESSION_REPLACED,
                        "this consumer was subscribed elsewhere; that stream goes on",
                        metadata={"instance_id": self._house.instance_id},
                    )
                if hub.draining and not self._told:
                    self._told = True
                    left = max(0.0, hub.drain_until - loop.time())
                    await self._call.write(
                        frames.goodbye(self._house.claim(self._consumer, hub.position), left)
                    )
                frame, again = self._frame(due=due)
                if frame is not None:
                    self._opened = True
                    hub.being_written += len(frame)
                    try:
                        await self._call.write(frame)
                    finally:
                        hub.being_written -= len(frame)
                    self._remember()
                    beat = loop.time() + HEARTBEAT
                elif again:
                    await asyncio.sleep(0)  # a long backlog of what is not for it must not hold up others
                due = False if again else not await self.wait(beat)
        finally:
            hub.ended(self._key, self)
            self.close()

    def acknowledged(self, room_id: str, acked: int) -> None:
        """The consumer's cursor in a room moved: the window opens."""
        room = self._state.get(room_id)
        if room is None:
            return
        freed = 0
        while room.unacked and room.unacked[0][-1] <= acked:
            freed += len(room.unacked.popleft())
        if room.unacked:
            part = bisect_right(room.unacked[0], acked)
            freed += part
            room.unacked[0] = room.unacked[0][part:]
        if freed:
            self._left += freed
            if self._behind:
                self.wake()

    def ask(self, token: str, applied: int) -> None:
        """A frame with this token is due once ``applied`` entries are published.

        Raises:
            Refusal: NO_OPEN_STREAM before the first frame, RATE_LIMITED when too many wait.
        """
        if not self._opened or self._replaced:
            raise no_open_stream()
        if len(self._tokens) >= MAX_TOKENS:
            raise Refusal(
                Reason.RATE_LIMITED, f"{MAX_TOKENS} progress requests wait in this stream", retry_after=0.1
            )
        self._tokens.append((token, applied))
        if applied <= self._house.hub.position:
            self.wake()
        else:
            self._house.hub.positions_awaited.add(self)

    def standing(self, room_id: str) -> tuple[int, bool]:
        """Up to where a room was written, and whether the window is full."""
        room = self._state.get(room_id)
        return (0 if room is None else room.claimed), self._left <= 0

    def _remember(self) -> None:
        if self._spans:
            time_us = clock_us()
            wrote = self._house.hub.deliveries.wrote
            for room_id, after, through in self._spans:
                wrote(*self._key, room_id, Span(after, through, time_us))
            self._spans.clear()

    @property
    def window_full(self) -> bool:
        """See ``OpenStream``."""
        return self._left <= 0

    def lingers(self) -> bool:
        """Until the others of the server have left too: its reader is told, and goes when it is ready."""
        return self._opened and not self._house.hub.closing

    def replace(self) -> None:
        """The consumer was subscribed elsewhere."""
        self._replaced = True
        self.wake()

    def _take_over(self, hub: Hub) -> None:
        older = hub.streams.get(self._key)
        hub.streams[self._key] = self
        if older is not None:
            older.replace()

    def _enter(self, reads: Reads) -> None:
        """Finds the rooms to begin with; all of them have something to say in the first frame."""
        if self.only is None:
            places = self._house.reading.places(reads, self._consumer)
        else:
            places = [self._house.place_of(reads, self._consumer, room_id) for room_id in sorted(self.only)]
        self.touched.clear()
        for place in places:
            reading_start(place, self._resume)
            self.touched.add(place.room_id)

    def _frame(self, *, due: bool) -> tuple[bytes | None, bool]:
        """The next frame, if there is anything to say, and whether more can be said at once.

        Args:
            due: A frame is due even without news: the first one, or a heartbeat.
        """
        reads = self._house.store.reads()
        applied = self._house.hub.position
        ready = [token for token, needed in self._tokens if needed <= applied]
        rooms = sorted(self._behind | self.touched, key=self._in_turn)
        self.touched.clear()
        self._behind.clear()
        deltas: list[frames.Delta] = []
        silent: list[tuple[Place, _Room]] = []
        messages = min(MAX_FRAME_MESSAGES, self._left)
        size = MAX_FRAME_BYTES if self._house.hub.being_written < MUCH_BYTES else SMALL_FRAME_BYTES
        full = held_back = again = False
        alike = True  # whether readers in step get the same bytes: all messages are those of whole pages
        for room_id in rooms:
            if self._left > 0 and not due and (messages <= 0 or size <= 0):
                # The frame is full: to look at all the other rooms for each frame would cost more than the frame.
                if not full:
                    self._first = room_id
                self._behind.add(room_id)
                full = held_back = again = True
                continue
            place = self._house.reading.place(reads, self._consumer, room_id)
            if place is None:
                continue
            if place.end_sequence:
                ended = self._end(place)
                if ended is not None:
                    deltas.append(ended)
                continue
            room = self._room(place)
            piece = self._house.reading.slice(reads, self._consumer, place, room.read, messages, size)
            room.read = max(room.read, piece.through)
            if piece.rows or piece.lost:
                self._spans.append((room_id, room.claimed, piece.through))
                deltas.append(self._delta(place, room, piece.encoded, piece.lost))
                if piece.rows:
                    alike = alike and piece.shared is not None
                    room.unacked.append(piece.sequences)
                self._house.hub.delivered += len(piece.rows)
                messages -= len(piece.rows)
                self._left -= len(piece.rows)
                size -= len(piece.encoded)
            elif room.read > room.claimed or due:
                silent.append((place, room))
            if piece.more:
                self._behind.add(room_id)
                held_back = True
                # What waits for the window is woken by an ack; all else can go at once.
                again = again or not piece.blocked or self._left > 0
        tokens = [] if again else ready
        if not (deltas or due or tokens):
            # Nothing for this consumer: the points move with the next frame.
            self._behind.update(place.room_id for place, _ in silent)
            return None, again
        deltas += [self._delta(place, room, b"") for place, room in silent]
        if tokens:
            self._tokens = [each for each in self._tokens if each[1] > applied]
            if not self._tokens:
                self._house.hub.positions_awaited.discard(self)
        position = self._house.claim(self._consumer, applied)
        make = partial(frames.frame, deltas, position, tokens, caught_up=not held_back)
        if not alike or tokens:
            return make(), again
        said = (position, held_back, *(delta.rest for delta in deltas))
        return reads.shared.once(said, [delta.messages for delta in deltas], make), again

    def _in_turn(self, room_id: str) -> tuple[bool, str]:
        """By name, from the room on that the last full frame had no room for: a busy room must not starve others."""
        return room_id < self._first, room_id

    def _room(self, place: Place) -> _Room:
        room = self._state.get(place.room_id)
        if room is None:
            room = self._state[place.room_id] = _Room(reading_start(place, self._resume))
            self.watch(place.room_id)
        elif room.ended:
            # Joined again. Reading starts anew, but each message comes once in one stream.
            room.ended = False
            room.read = room.claimed = max(room.read, reading_start(place, NOWHERE))
            self.watch(place.room_id)
        return room

    def _delta(self, place: Place, room: _Room, encoded: bytes, lost: int = 0) -> frames.Delta:
        after = room.claimed
        room.claimed = max(after, self._house.reading.through(self._consumer, place, room.read))
        return frames.delta(place.room_id, after, room.claimed, place.head, encoded, lost=lost)

    def _end(self, place: Place) -> frames.Delta | None:
        """The delta that says a membership ended, once; None if this stream need not say it."""
        end = place.end_sequence
        room = self._state.get(place.room_id)
        if room is None:
            after = reading_start(place, self._resume)
            if not untold(place, after, self._resume):
                return None
            room = self._state[place.room_id] = _Room(after)
        elif room.ended:
            return None
        after = min(room.claimed, end)
        room.ended = True
        self._left += sum(map(len, room.unacked))
        room.unacked.clear()
        self.unwatch(place.room_id)
        return frames.delta(place.room_id, after, end, end, b"", ended=True)


def no_open_stream() -> Refusal:
    """The answer to a progress request that nothing can be written for."""
    return Refusal(
        Reason.NO_OPEN_STREAM,
        "this consumer has no open stream here, or its first frame has not come; subscribe, then ask again",
    )
