"""One consumer's Subscribe stream, kept open over failures, and the fence in it.

A background task (the pump) reads frames into a short queue; the application takes them out with `async for`.

Invariants:
* Connecting again is the same path as connecting first: a new Subscribe, after what was handed over.
  Frames of the old stream that nobody took yet are dropped with it and come again.
* A frame counts as handed over when it leaves the queue, and as handled when the next one is asked for.
  Only then are its fences told: whoever awaits `progress` knows the application to be past all of it.
* A delta that does not join the one before means that something is missing: the stream is opened anew.
* Once it ended for good (`SessionReplacedError`, refused, closed) it is never opened again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import grpc

from chatsys.client.credentials import Metadata
from chatsys.client.errors import (
    DRAINING,
    HOLE_IN_STREAM,
    ChatError,
    DataLossError,
    DeadlineExceededError,
    FailedPreconditionError,
    LogEpochChangedError,
    UnavailableError,
)
from chatsys.client.ids import uuid7
from chatsys.client.place import Chain, Delta, Place
from chatsys.client.transport import Transport
from chatsys.v1.chat_pb2 import RequestProgressRequest, SubscribeRequest, SubscribeResponse

#: The server writes a frame at least every 15 s; after this silence the stream is taken for dead. Seconds.
HEARTBEAT_LIMIT: Final = 45.0
#: How long one try to open the stream waits for its first frame. Seconds.
FIRST_FRAME_LIMIT: Final = 5.0
#: Frames read ahead of the application.
READ_AHEAD: Final = 8
#: A stream that lived this long, in seconds, was a good one: the next try to open it is the first in a row.
_GOOD_LIFE: Final = 1.0


class Frame(NamedTuple):
    """What one frame brought, less what the application already had."""

    deltas: tuple[Delta, ...]
    position: str
    """The server's state this was read from."""
    caught_up: bool
    """Whether nothing was held back."""


class Lost(NamedTuple):
    """The stream broke; it is being opened again."""

    fault: ChatError


class Restored(NamedTuple):
    """The stream is open again."""

    instance: str
    """Of the server process, empty when it does not say."""


class EpochChanged(NamedTuple):
    """The server's log was lost or restored: sequences begin anew, reading starts at the cursors."""

    fault: ChatError


Update = Frame | Lost | Restored | EpochChanged


class Progress(NamedTuple):
    """The answer of a fence: everything for this consumer up to `position` was handed over."""

    position: str
    caught_up: bool


class Stream:
    """An open Subscribe, as an async iterator of updates. Iterate in one task at a time."""

    def __init__(
        self,
        transport: Transport,
        place: Place,
        *,
        consumer: str = "",
        rooms: Sequence[str] = (),
        window: int = 0,
        include_own: bool = False,
    ) -> None:
        self._transport = transport
        self._place = place
        self._request = SubscribeRequest(
            consumer_id=consumer,
            room_ids=rooms,
            max_unacked_messages=window,
            include_own=include_own,
        )
        self._queue: deque[Update | SubscribeResponse] = deque()
        self._frames_queued = 0
        self._changed = asyncio.Event()
        self._handing: SubscribeResponse | None = None
        self._tokens: dict[str, asyncio.Future[Progress | None]] = {}
        self._open = False
        self._was_open = False
        self._opened_at = 0.0
        self._first_position = ""
        self._end: ChatError | None = None
        self._closed = False
        self._last_fault: ChatError | None = None
        self._pump = asyncio.create_task(self._keep_open(), name=f"subscribe {transport.target}")

    async def opened(self, within: float) -> str:
        """Wait until the stream is open, that is, its first frame has come; return that frame's position.

        Raises:
            ChatError: it ended for good, or `within` seconds have passed (then with the last fault, if any).
        """
        try:
            async with asyncio.timeout(within):
                await self._wait_open()
        except TimeoutError:
            raise self._last_fault or DeadlineExceededError(
                f"no first frame from {self._transport.target} within {within:g} s"
            ) from None
        return self._first_position

    def __aiter__(self) -> Stream:
        """Iterate over updates."""
        return self

    async def __anext__(self) -> Update:
        """Return the next update; whatever was returned before counts as handled from here on.

        Raises:
            ChatError: the stream ended for good.
            StopAsyncIteration: it was closed.
        """
        self.handled()
        while True:
            while self._queue:
                item = self._queue.popleft()
                if not isinstance(item, SubscribeResponse):
                    return item
                self._frames_queued -= 1
                if self._frames_queued == READ_AHEAD - 1:
                    self._notify()
                self._handing = item
                deltas = tuple(delta for raw in item.deltas if (delta := self._place.take(raw)) is not None)
                if deltas or item.progress_tokens:
                    return Frame(deltas, item.position, item.caught_up)
                self.handled()
            if self._end is not None:
                raise self._end
            if self._closed:
                raise StopAsyncIteration
            await self._changed.wait()

    def handled(self) -> None:
        """Say that the application is done with the frame it was given; asking for the next says so too."""
        frame, self._handing = self._handing, None
        if frame is None:
            return
        for token in frame.progress_tokens:
            future = self._tokens.pop(token, None)
            if future is not None and not future.done():
                future.set_result(Progress(frame.position, frame.caught_up))

    async def progress(self, positions: Sequence[str], within: float) -> Progress:
        """Wait until everything for this consumer up to all of `positions` was handed over and handled.

        Somebody must be iterating meanwhile; when a full window holds messages back, acknowledge.

        Raises:
            ChatError: the stream ended for good, a position is of another epoch, or the time is over.
        """
        obstacle = "the stream was not open"
        answer: Progress | None = None
        try:
            async with asyncio.timeout(within):
                tries = 0
                while True:
                    await self._wait_open()
                    if answer is None:  # else a full window is known, and time may be over while we ask again
                        obstacle = "the server did not write the frame"
                    answer = await self._ask_progress(positions)
                    if answer is not None and answer.caught_up:
                        return answer
                    tries += 1
                    obstacle = (
                        "the stream broke"
                        if answer is None
                        else "the window of unacknowledged messages was full"
                    )
                    await self._transport.rest(tries)
        except TimeoutError:
            raise DeadlineExceededError(f"no proof of progress within {within:g} s: {obstacle}") from None

    async def _ask_progress(self, positions: Sequence[str]) -> Progress | None:
        """Ask once; None when it has to be asked again."""
        token = uuid7()
        future: asyncio.Future[Progress | None] = asyncio.get_running_loop().create_future()
        self._tokens[token] = future
        request = RequestProgressRequest(
            consumer_id=self._request.consumer_id,
            min_positions=dict.fromkeys((*self._place.positions(), *positions)),
            token=token,
        )
        transport = self._transport
        try:
            try:
                await transport.call(
                    transport.chat.RequestProgress,
                    request,
                    within=transport.retry.try_timeout,
                    idempotent=False,
                )
            except LogEpochChangedError:
                raise
            except ChatError as fault:
                # A lost answer, or a stream that the server lost before we did. The proof is the frame.
                again = fault.retryable or isinstance(fault, FailedPreconditionError)
                if not (again or future.done()):
                    raise
                return future.result() if future.done() else None
            return await future
        finally:
            self._tokens.pop(token, None)

    def abandon(self) -> None:
        """End the stream at once. What was read ahead and not taken comes again on the next one."""
        self._closed = True
        self._pump.cancel()
        self._queue.clear()
        self._frames_queued = 0
        self._finish(None)
        self._notify()

    async def close(self) -> None:
        """`abandon`, and wait until its call is over."""
        self.abandon()
        await asyncio.wait([self._pump])

    async def _wait_open(self) -> None:
        while not (self._open or self._end is not None or self._closed):
            await self._changed.wait()
        if self._end is not None:
            raise self._end
        if not self._open:
            raise UnavailableError("the stream was closed")

    def _notify(self) -> None:
        # Wakes all who wait now. No await: a cancelled taker must not lose the frame it has just taken.
        self._changed.set()
        self._changed = asyncio.Event()

    async def _keep_open(self) -> None:
        tries = 0
        while True:
            shown: Metadata = ()
            again = True
            try:
                shown = self._transport.metadata
                await self._read_stream(shown)
                fault: ChatError = UnavailableError("the server ended the stream")
            except ChatError as caught:
                fault = caught
            except grpc.RpcError as caught:
                fault = self._transport.fault_of(caught)
            try:
                again = self._transport.may_retry(fault, shown)
            except ChatError as caught:
                fault, again = caught, False
            if self._open and time.monotonic() - self._opened_at >= _GOOD_LIFE:
                tries = 0
            self._last_fault = fault
            self._drop_stream(fault)
            if isinstance(fault, LogEpochChangedError):
                self._place.forget()
                self._queue.append(EpochChanged(fault))
            elif (fault.definite and not again) or isinstance(fault, DataLossError):
                self._finish(fault)
                self._notify()
                return
            self._notify()
            tries += 1
            await self._transport.rest(tries, fault)

    async def _read_stream(self, shown: Metadata) -> None:
        transport, place, chain = self._transport, self._place, Chain()
        request = SubscribeRequest()
        request.CopyFrom(self._request)
        request.resume_after.extend(place.resume_after(request.room_ids))
        included = place.positions()
        request.min_positions.extend(included)
        transport.begin()
        call = transport.chat.Subscribe(request, metadata=shown)
        try:
            limit, what = FIRST_FRAME_LIMIT, "first frame"
            while True:
                try:
                    async with asyncio.timeout(limit):
                        frame = await call.read()
                except TimeoutError:
                    raise UnavailableError(f"no {what} from {transport.target} within {limit:g} s") from None
                if not isinstance(frame, SubscribeResponse):
                    return
                if not self._open:
                    transport.check(await call.initial_metadata())
                if not all(map(chain.joins, frame.deltas)):
                    raise UnavailableError("a delta does not join the one before", reason=HOLE_IN_STREAM)
                place.saw(frame.position, included)
                included = (frame.position,)
                await self._put(frame)
                if frame.HasField("drain_in"):
                    raise UnavailableError("the server is about to leave", reason=DRAINING)
                limit, what = HEARTBEAT_LIMIT, "heartbeat"
        finally:
            call.cancel()

    async def _put(self, frame: SubscribeResponse) -> None:
        if not self._open:
            self._open = True
            self._opened_at = time.monotonic()
            self._first_position = frame.position
            if self._was_open:
                self._queue.append(Restored(self._transport.identity.instance))
            self._was_open = True
        self._queue.append(frame)
        self._frames_queued += 1
        self._notify()
        while self._frames_queued >= READ_AHEAD:
            await self._changed.wait()

    def _drop_stream(self, fault: ChatError) -> None:
        """Forget what the broken stream left: queued frames, and fences asked for in it."""
        self._queue = deque(item for item in self._queue if not isinstance(item, SubscribeResponse))
        self._frames_queued = 0
        if self._open:
            self._open = False
            self._queue.append(Lost(fault))
        handing = set(self._handing.progress_tokens) if self._handing is not None else set()
        for token, future in self._tokens.items():
            # The frame being handled now has come; its fences are told when it is handled.
            if token not in handing and not future.done():
                future.set_result(None)

    def _finish(self, fault: ChatError | None) -> None:
        self._end = self._end or fault
        self._open = False
        end = fault or UnavailableError("the stream was closed")
        for future in self._tokens.values():
            if not future.done():
                future.set_exception(end)
                future.exception()  # Its waiter may be gone; asyncio would complain of an error nobody took.


__all__ = ["EpochChanged", "Frame", "Lost", "Progress", "Restored", "Stream", "Update"]
