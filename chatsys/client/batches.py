"""Sending in batches over one SendMessages stream, in order, over failures too.

Invariants:
* Batches are stored in the order in which `send` was called: when a stream breaks, everything unanswered is
  sent again on the next one, in order and under its old ids.
* A batch whose caller stopped waiting is not sent again; its fate is unknown to the caller.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import grpc
from grpc import aio

from chatsys.client.credentials import Metadata
from chatsys.client.errors import ChatError, DeadlineExceededError, UnavailableError
from chatsys.client.transport import Transport
from chatsys.v1.chat_pb2 import (
    SendMessageRequest,
    SendMessageResult,
    SendMessagesRequest,
    SendMessagesResponse,
)

#: The defaults of ServerLimits, with room for what surrounds the messages.
MAX_BATCH_MESSAGES: Final = 1000
MAX_BATCH_BYTES: Final = 3 * 1024 * 1024
#: Batches under way at once on a stream; more wait here, where they cost little.
MAX_UNDER_WAY: Final = 16
#: A stream that answers nothing for this long, in seconds, while something is under way is taken for dead.
STALL_LIMIT: Final = 5.0

if TYPE_CHECKING:
    _Stream = aio.StreamStreamCall[SendMessagesRequest, SendMessagesResponse]


@dataclass(slots=True, eq=False)
class _Batch:
    request: SendMessagesRequest
    answer: asyncio.Future[SendMessagesResponse] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class BatchSender:
    """One ordered line of batches. Needs a running event loop."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._unanswered: deque[_Batch] = deque()
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._last_fault: ChatError | None = None

    async def send(
        self, requests: Sequence[SendMessageRequest], within: float
    ) -> tuple[list[SendMessageResult], str]:
        """Send messages as one or more batches; return one result for each, in order, and the last position.

        Raises:
            ChatError: not all were answered in time; which of them were stored is unknown (send again under
                the same ids), or the server refused the whole stream.
        """
        batches = [_Batch(SendMessagesRequest(requests=part)) for part in cut(requests)]
        self._unanswered.extend(batches)
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="batches")
        try:
            async with asyncio.timeout(within):
                answers = [await batch.answer for batch in batches]
        except TimeoutError:
            raise self._last_fault or DeadlineExceededError(
                f"not all batches were answered within {within:g} s"
            ) from None
        finally:
            for batch in batches:
                batch.answer.cancel()
        results = [result for answer in answers for result in answer.results]
        return results, answers[-1].position if answers else ""

    async def close(self) -> None:
        """Stop at once; what is unanswered may or may not be stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail(UnavailableError("the client was closed"))

    async def _run(self) -> None:
        tries = 0
        try:
            while self._unanswered:
                before = len(self._unanswered)
                shown: Metadata = ()
                try:
                    shown = self._transport.metadata
                    await self._one_stream(shown)
                    fault: ChatError = UnavailableError("the server ended the stream of batches")
                except grpc.RpcError as caught:
                    fault = self._transport.fault_of(caught)
                except ChatError as caught:
                    fault = caught
                self._unanswered = deque(batch for batch in self._unanswered if not batch.answer.done())
                if not self._unanswered:
                    return
                try:
                    again = self._transport.may_retry(fault, shown)
                except ChatError as caught:
                    fault, again = caught, False
                if not again:
                    self._fail(fault)
                    return
                self._last_fault = fault
                tries = 1 if len(self._unanswered) < before else tries + 1
                await self._transport.rest(tries, fault)
        finally:
            self._task = None

    async def _one_stream(self, shown: Metadata) -> None:
        """Send everything unanswered over a new stream and answer it, until nothing is left or it breaks."""
        transport = self._transport
        transport.begin()
        call: _Stream = transport.chat.SendMessages(metadata=shown)
        under_way: deque[_Batch] = deque()
        writer = asyncio.create_task(self._write(call, under_way), name="write batches")
        checked = False
        try:
            while self._unanswered:
                try:
                    async with asyncio.timeout(STALL_LIMIT):
                        answer = await call.read()
                except TimeoutError:
                    raise UnavailableError(f"no batch was answered within {STALL_LIMIT:g} s") from None
                if not isinstance(answer, SendMessagesResponse):
                    return
                if not checked:
                    transport.check(await call.initial_metadata())
                    checked = True
                batch = under_way.popleft()
                self._unanswered.remove(batch)
                if not batch.answer.done():
                    batch.answer.set_result(answer)
                self._changed.set()
            writer.cancel()
            await call.done_writing()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(transport.retry.try_timeout):
                    await call.read()
        finally:
            writer.cancel()
            call.cancel()
            await asyncio.wait([writer])
            if not writer.cancelled():
                writer.exception()  # The reader saw the same end of the stream, with its status.

    async def _write(self, call: _Stream, under_way: deque[_Batch]) -> None:
        written: set[_Batch] = set()
        while True:
            self._changed.clear()
            for batch in list(self._unanswered):
                if batch in written:
                    continue
                if len(under_way) >= MAX_UNDER_WAY:
                    break
                if batch.answer.done():
                    self._unanswered.remove(batch)
                    continue
                written.add(batch)
                under_way.append(batch)
                await call.write(batch.request)
            written.intersection_update(self._unanswered)
            await self._changed.wait()

    def _fail(self, fault: ChatError) -> None:
        for batch in self._unanswered:
            if not batch.answer.done():
                batch.answer.set_exception(fault)
                batch.answer.exception()  # Its waiter may wait for an earlier one; asyncio must not complain.
        self._unanswered.clear()


def cut(requests: Sequence[SendMessageRequest]) -> Iterator[list[SendMessageRequest]]:
    """Cut messages into batches that a server with default limits takes, in order."""
    part: list[SendMessageRequest] = []
    size = 0
    for request in requests:
        length = request.ByteSize() + 8  # its tag and length within the batch
        if part and (len(part) == MAX_BATCH_MESSAGES or size + length > MAX_BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(request)
        size += length
    if part:
        yield part
