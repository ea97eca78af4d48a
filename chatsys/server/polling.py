"""Poll: acknowledges, reads everything in scope from one snapshot, waits if there is nothing."""

from collections.abc import Iterable

from chatsys.core import check, visibility
from chatsys.core.decide import beyond_head
from chatsys.core.entry import Ack
from chatsys.core.outcome import Acked
from chatsys.errors import Refusal
from chatsys.server import frames
from chatsys.server.call import Call
from chatsys.server.deliveries import Span
from chatsys.server.hub import Watcher
from chatsys.server.reading import Consumer
from chatsys.server.services import House, Marks, clock_us, marks
from chatsys.store import Place, Reads
from chatsys.v1 import chat_pb2

MAX_ANSWER_BYTES = 2 * 1024 * 1024
"""Of the messages in one answer; below what a client takes by default (4 MiB)."""
MAX_PAGES = 32
"""Pages of one room that one answer goes through, however few of their messages are for the caller."""


class Poll:
    """One call of Poll.

    Args:
        house: What it works with.
        request: As it came.
        call: Who asks.

    Raises:
        Refusal: Something in the request is malformed.
    """

    def __init__(self, house: House, request: chat_pb2.PollRequest, call: Call) -> None:
        check.consumer_id(request.consumer_id)
        self._house = house
        self._call = call
        self._consumer = Consumer(call.user_id, request.consumer_id, request.include_own)
        self._acks = marks(request.acks, "acks")
        self._resume = Resume(marks(request.resume_after, "resume_after"))
        self._only = named_rooms(request.room_ids)
        self._limit = check.page_size(
            request.max_messages,
            house.limits.default_poll_messages,
            house.limits.max_poll_messages,
            "max_messages",
        )
        wait = request.wait.ToNanoseconds() / 1e9
        if wait < 0:
            raise Refusal.field("wait", f"is {wait} s; it is not negative")
        self._wait = min(wait, house.limits.max_poll_wait)
        self._positions = request.min_positions
        house.needed(self._positions)

    async def run(self) -> bytes:
        """The encoded PollResponse."""
        house = self._house
        await house.reach(self._positions, self._call)
        if self._acks.read:
            # Only when nothing is left to refuse: who is refused has acknowledged nothing.
            for place in self._scope(house.store.reads()):
                reading_start(place, self._resume)
            await house.ask(Ack(self._consumer.user_id, self._consumer.consumer_id, *self._acks), Acked)
        answer, news = self._read(house.store.reads())
        if news or self._wait <= 0:
            return answer
        house.guard.subscribing(house.hub, self._consumer.user_id, None)
        until = self._call.until(self._wait)
        watcher = Watcher(house.hub, self._consumer.user_id, self._only, tells=False)
        try:
            while True:
                # Between the look before and this one nothing was awaited, so no news can fall in between.
                reads = house.store.reads()
                for place in house.reading.places(reads, self._consumer):
                    if self._only is None or place.room_id in self._only:
                        watcher.watch(place.room_id)
                answer, news = self._read(reads)
                if news or not await watcher.wait(until):
                    return answer
        finally:
            watcher.close()

    def _read(self, reads: Reads) -> tuple[bytes, bool]:
        """The answer now, and whether it holds anything new."""
        places = self._scope(reads)
        deltas: list[frames.Delta] = []
        left, room, caught_up, news = self._limit, MAX_ANSWER_BYTES, True, False
        for place in places:
            after = reading_start(place, self._resume)
            if place.end_sequence:
                if untold(place, after, self._resume):
                    end = place.end_sequence
                    deltas.append(frames.delta(place.room_id, after, end, end, b"", ended=True))
                    news = True
                continue
            through, parts, held_back, lost = after, [], True, 0
            for _ in range(MAX_PAGES):
                piece = self._house.reading.slice(reads, self._consumer, place, through, left, room)
                through, lost = piece.through, max(lost, piece.lost)
                if piece.rows:
                    parts.append(piece.encoded)
                    left -= len(piece.rows)
                    room -= len(piece.encoded)
                held_back = piece.more
                if piece.blocked or not piece.more:
                    break
            caught_up = caught_up and not held_back
            news = news or bool(parts) or lost > 0
            if parts:
                span = Span(after, through, clock_us())
                self._house.hub.deliveries.wrote(*self._consumer[:2], place.room_id, span)
            if through > after or self._only is not None:
                claimed = self._house.reading.through(self._consumer, place, through)
                encoded = b"".join(parts)
                deltas.append(frames.delta(place.room_id, after, claimed, place.head, encoded, lost=lost))
        applied = reads.position()
        return (
            frames.poll_answer(deltas, self._house.claim(self._consumer, applied), caught_up=caught_up),
            news,
        )

    def _scope(self, reads: Reads) -> list[Place]:
        if self._only is None:
            return self._house.reading.places(reads, self._consumer)
        return [self._house.place_of(reads, self._consumer, room_id) for room_id in sorted(self._only)]


class Resume:
    """Where an application already is, which a server need not know: see the contract, resume_after."""

    __slots__ = ("ended", "read")

    def __init__(self, said: Marks) -> None:
        self.read = dict(said.read)
        self.ended = dict(said.ended)


NOWHERE = Resume(Marks((), ()))
"""At its cursors."""


def untold(place: Place, after: int, resume: Resume) -> bool:
    """Whether a consumer that reads from ``after`` on is to hear that the membership ended."""
    return max(after, place.settled, resume.ended.get(place.room_id, 0)) < place.end_sequence


def reading_start(place: Place, resume: Resume) -> int:
    """Where reading of a room starts: at the cursor, or further where the application already is.

    Raises:
        Refusal: ACK_BEYOND_HEAD for a place that does not exist yet.
    """
    wanted = resume.read.get(place.room_id, 0)
    if place.end_sequence:
        wanted = min(wanted, place.end_sequence)
    elif wanted > place.head:
        raise beyond_head(place.room_id, wanted, place.head)
    return max(visibility.start(place.history, place.join_sequence, place.acked), wanted)


def named_rooms(room_ids: Iterable[str]) -> frozenset[str] | None:
    """The rooms a request is confined to; None when it names none."""
    names = list(room_ids)
    for index, room_id in enumerate(names):
        check.room_id(room_id, f"room_ids[{index}]")
    return frozenset(names) or None
