"""SendMessage and SendMessages: from a request to the log and back."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from chatsys.core import check
from chatsys.core.entry import LogEntry, Send
from chatsys.core.outcome import Outcome, Sent
from chatsys.errors import Reason, Refusal
from chatsys.errors.wire import to_status_bytes
from chatsys.server import frames
from chatsys.server.call import Call
from chatsys.server.hub import draining
from chatsys.server.services import House, clock_us, sure
from chatsys.store import REUSED, Chain, Filler
from chatsys.v1 import chat_pb2

MAX_BATCHES_UNDER_WAY = 16
"""Batches of one stream that are read but not answered: the server reads no faster than it stores."""

_Pending = tuple["asyncio.Future[list[Outcome]] | None", list[Send | Refusal]]


async def send_message(house: House, request: chat_pb2.SendMessageRequest, call: Call) -> Any:
    """Stores one message; see the contract."""
    send = _checked(house, request, call, clock_us())
    house.guard.sends.take(call.user_id, 1)
    (outcome,) = await house.store.submit((send,))
    answer = chat_pb2.SendMessageResponse()
    _respond(answer, Filler(answer.message), send, sure(outcome, Sent))
    answer.position = house.now()
    return answer


def _checked(house: House, request: chat_pb2.SendMessageRequest, call: Call, now_us: int) -> Send:
    room_id, content = request.room_id, request.content
    content_type, client_message_id = request.content_type, request.client_message_id
    check.message(room_id, content, content_type, client_message_id, house.limits.max_content_bytes)
    return Send(call.user_id, now_us, room_id, content, content_type, client_message_id)


def _respond(answer: chat_pb2.SendMessageResponse, filler: Filler, send: Send, sent: Sent) -> None:
    """Fills in the answer where it is, in a batch or alone: to make it and copy it takes longer than to store it.

    Args:
        answer: The answer.
        filler: That of its message.
        send: What was asked for.
        sent: What came of it.
    """
    # Taken apart at once: this runs for every message.
    sender_id, _, room_id, _, content_type, client_message_id = send
    sequence, time_us, answer.duplicate = sent
    filler.fill(room_id, sequence, sender_id, time_us, content_type, client_message_id)


class SendStream:
    """One call of SendMessages.

    Reading and answering are two tasks, so that a batch is read while the one before is written. Invariant:
    once a batch was lost, none after it is stored, so that sending again keeps the order.
    """

    def __init__(self, house: House, call: Call) -> None:
        self._house = house
        self._call = call
        self._chain = Chain()
        self._results = _Results()
        self._room = asyncio.Semaphore(MAX_BATCHES_UNDER_WAY)
        self._read: asyncio.Queue[_Pending | Refusal | None] = asyncio.Queue()

    async def run(self, requests: AsyncGenerator[chat_pb2.SendMessagesRequest, None]) -> None:
        """Until the caller is done sending.

        Raises:
            Refusal: What may succeed later, or a batch that is too large.
        """
        leave: Callable[[], None] = lambda: self._read.put_nowait(draining())  # noqa: E731  # kept to take it back
        self._call.on_end = self._end
        self._house.hub.leaving.add(leave)
        reader = asyncio.create_task(self._take(requests))
        try:
            while (read := await self._read.get()) is not None:
                if isinstance(read, Refusal):
                    raise read
                await self._call.write(await self._answer(*read))
                self._room.release()
            await reader  # what went wrong in reading goes on here
        finally:
            self._house.hub.leaving.discard(leave)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _take(self, requests: AsyncGenerator[chat_pb2.SendMessagesRequest, None]) -> None:
        end: Refusal | None = None
        try:
            async with aclosing(requests):
                async for batch in requests:
                    await self._room.acquire()
                    if self._call.ending is not None:
                        break
                    self._read.put_nowait(self._submit(batch))
        except Refusal as refusal:
            end = refusal.bare()
        finally:
            self._read.put_nowait(end)

    def _end(self, why: Refusal) -> None:
        """What was read is answered, nothing after it is stored: so ``why`` is a definite answer to the rest."""
        self._read.put_nowait(why)

    def _submit(self, batch: chat_pb2.SendMessagesRequest) -> _Pending:
        most = self._house.limits.max_batch_messages
        if len(batch.requests) > most:
            raise Refusal.field(
                "requests", f"has {len(batch.requests)} messages; one batch has at most {most}"
            )
        now_us = clock_us()
        checked: list[Send | Refusal] = []
        for request in batch.requests:
            try:
                checked.append(_checked(self._house, request, self._call, now_us))
            except Refusal as refusal:
                checked.append(refusal.bare())
        entries: list[LogEntry] = [each for each in checked if isinstance(each, Send)]
        if not entries:
            return None, checked
        self._house.guard.sends.take(self._call.user_id, len(entries))
        stored = self._house.store.submit(entries, self._chain)
        stored.add_done_callback(_seen)
        return stored, checked

    async def _answer(
        self, stored: "asyncio.Future[list[Outcome]] | None", checked: list[Send | Refusal]
    ) -> bytes:
        outcomes = iter(await stored if stored is not None else ())
        encode = self._results.encode
        results = []
        for each in checked:
            if isinstance(each, Send):
                outcome = next(outcomes)
                results.append(encode(each, outcome) if isinstance(outcome, Sent) else _refused(outcome))
            else:
                results.append(_refused(each))
        return frames.batch_answer(results, self._house.now())


class _Results:
    """Encodes what became of messages that are stored, by an object that is filled in anew: see ``Encoder``."""

    def __init__(self) -> None:
        self._left = 0

    def encode(self, send: Send, sent: Sent) -> bytes:
        """A SendMessageResult."""
        if not self._left:
            self._result = chat_pb2.SendMessageResult()
            self._response = self._result.response  # or it is made each time
            self._filler = Filler(self._response.message)
            self._left = REUSED
        self._left -= 1
        _respond(self._response, self._filler, send, sent)
        encoded: bytes = self._result.SerializeToString()
        return encoded


def _seen(stored: "asyncio.Future[list[Outcome]]") -> None:
    """Marks a failure as known: the batch before has ended the stream already, with the same sentence."""
    if not stored.cancelled():
        stored.exception()


def _refused(outcome: Outcome) -> bytes:
    assert isinstance(outcome, Refusal), f"{type(outcome).__name__} where Sent was due"
    encoded: bytes = chat_pb2.SendMessageResult(error=_error(outcome)).SerializeToString()
    return encoded


def _error(refusal: Refusal) -> chat_pb2.SendMessageError:
    if refusal.transient and refusal.reason is not Reason.BUG:
        raise refusal
    return chat_pb2.SendMessageError(
        code=int(refusal.code),
        reason=refusal.reason,
        message=refusal.message,
        status_details=to_status_bytes(refusal),
    )
