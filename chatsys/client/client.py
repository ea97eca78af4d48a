"""The client: one user on one device, talking to one chatsys server.

    client = await Client.connect("127.0.0.1:7777", user="alice")
    async with client:
        await client.send("lobby", "Hello!")
        async for message in client.receive():
            print(message.sender_id, message.content.decode())

Invariants:
* Every call ends within its `within` seconds (default `DEFAULT_WITHIN`), with an answer or a `ChatError`.
* Cancelling a call leaves the client usable and loses no message.
* A send is stored at most once whatever is repeated; each message is handed over once per `Place`.
* Reads are never older than anything this client saw before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.duration_pb2 import Duration

from chatsys.client.acks import AckPump
from chatsys.client.batches import BatchSender
from chatsys.client.caller import DEFAULT_WITHIN
from chatsys.client.credentials import TokenSource
from chatsys.client.errors import ChatError, from_result
from chatsys.client.ids import uuid7
from chatsys.client.place import Delta, Place
from chatsys.client.polling import Polled, Poller
from chatsys.client.retry import DEFAULT_RETRY, RetryPolicy
from chatsys.client.rooms import RoomCaller
from chatsys.client.stream import EpochChanged, Frame, Lost, Progress, Restored, Stream
from chatsys.client.tls import Tls
from chatsys.v1.chat_pb2 import (
    Ack,
    AckMessagesRequest,
    ListCursorsRequest,
    PollRequest,
    SendMessageRequest,
    SendMessageResponse,
)
from chatsys.v1.types_pb2 import Cursor, Message

#: What `receive` tells beside messages.
Notice = Lost | Restored | EpochChanged | Delta

_NOTHING: Mapping[str, int] = {}


class Sent(NamedTuple):
    """A message is stored."""

    client_message_id: str
    sequence: int
    position: str
    """Pass it on in `positions`: a read that includes it includes this message."""
    duplicate: bool
    """Whether it had been stored before under this id."""


class Outgoing(NamedTuple):
    """One message to send in a batch."""

    room: str
    content: str | bytes
    client_message_id: str | None = None
    content_type: str = ""


class _Due(NamedTuple):
    """What `receive` owes the application, and what it may acknowledge then."""

    message: Message | None
    room: str
    through: int


class Client(RoomCaller):
    """One user and consumer on one server: the plain calls of a `RoomCaller`, sending and receiving."""

    def __init__(
        self,
        target: str,
        *,
        user: str | None = None,
        token: str | TokenSource | None = None,
        tls: Tls | None = None,
        consumer: str = "",
        include_own: bool = False,
        expect_instance: str | None = None,
        expect_run: str | None = None,
        place: Place | None = None,
        retry: RetryPolicy = DEFAULT_RETRY,
    ) -> None:
        """Make a client; nothing is sent before its first call.

        Args:
            target: "host:port".
            user: who we are, for a server with `--auth none`.
            token: bearer token; then the server knows who we are. Or a function that gets one: it is asked
                again when the server says that the one before is good no more.
            tls: how to reach a server that speaks TLS; None speaks in the clear.
            consumer: names the cursor, such as a device; empty is the default one.
            include_own: also receive what this user sent, from whatever device.
            expect_instance: see `Expectation`.
            expect_run: see `Expectation`.
            place: of an earlier client of the same user and consumer, so that nothing comes twice.
            retry: how tries are paced.
        """
        super().__init__(
            target,
            user=user,
            token=token,
            tls=tls,
            expect_instance=expect_instance,
            expect_run=expect_run,
            place=place,
            retry=retry,
        )
        self.consumer = consumer
        self.include_own = include_own
        self._batches = BatchSender(self._transport)
        self._acks = AckPump(self.ack_now, retry=retry)
        self._poller = Poller(self._transport, self.place, self._acks.forget)
        self._stream: Stream | None = None
        self._pending: deque[_Due] = deque()

    async def close(self) -> None:
        """End the stream and the connection at once; `flush_acks` first if acknowledgements matter."""
        if self._stream is not None:
            await self._stream.close()
        await self._acks.close()
        await self._batches.close()
        await super().close()

    # --- sending ---

    async def send(
        self,
        room: str,
        content: str | bytes,
        *,
        client_message_id: str | None = None,
        content_type: str = "",
        within: float = DEFAULT_WITHIN,
    ) -> Sent:
        """Store one message; when an answer is lost it is asked again under the same id.

        Raises:
            ChatError: refused (`definite`), or its fate is unknown: sending again under the same id tells.
        """
        request = _message(Outgoing(room, content, client_message_id, content_type))
        known = self.place.positions()
        answer: SendMessageResponse = await self._transport.call(
            self._transport.chat.SendMessage, request, within=within
        )
        # Stored after all we knew of when it was sent, unless it had been stored before.
        self.place.saw(answer.position, () if answer.duplicate else known)
        return Sent(request.client_message_id, answer.message.sequence, answer.position, answer.duplicate)

    async def send_batch(
        self, messages: Sequence[Outgoing], *, within: float = DEFAULT_WITHIN
    ) -> list[Sent | ChatError]:
        """Store messages in this order; return what became of each. A refused one does not stop the others.

        Calls under way at the same time keep the order in which they were made.

        Raises:
            ChatError: not all were answered in time, or the whole stream was refused; sending again under the
                same ids tells which were stored.
        """
        requests = [_message(message) for message in messages]
        results, position = await self._batches.send(requests, within)
        self.place.saw(position)
        outcome: list[Sent | ChatError] = []
        for request, result in zip(requests, results, strict=True):
            if result.HasField("error"):
                refusal = result.error
                outcome.append(
                    from_result(refusal.code, refusal.reason, refusal.message, refusal.status_details)
                )
            else:
                stored = result.response
                outcome.append(
                    Sent(request.client_message_id, stored.message.sequence, position, stored.duplicate)
                )
        return outcome

    # --- receiving ---

    def subscribe(self, *, rooms: Sequence[str] = (), window: int = 0) -> Stream:
        """Open the consumer's stream and return it, for the caller to iterate; ends the one before, if any.

        Args:
            rooms: only these; empty means all the user's rooms, those joined later too.
            window: unacknowledged messages after which the server waits; 0 leaves it to the server.
        """
        if self._stream is not None:
            self._stream.abandon()
        self._stream = Stream(
            self._transport,
            self.place,
            consumer=self.consumer,
            rooms=rooms,
            window=window,
            include_own=self.include_own,
        )
        return self._stream

    async def receive(
        self,
        *,
        rooms: Sequence[str] = (),
        window: int = 0,
        acks: bool = True,
        notices: Callable[[Notice], None] | None = None,
        entered: Callable[[str], None] | None = None,
    ) -> AsyncIterator[Message]:
        """Yield messages as they come, each once, through failures of server and network.

        Args:
            rooms: only these; empty means all.
            window: see `subscribe`.
            acks: acknowledge a message when the next one is asked for. False leaves it to `ack`.
            notices: is told what is no message: connection lost and restored, a changed epoch, and as a
                `Delta` an ended membership or messages that the server no longer had.
            entered: is told the id of each room before anything of it: those that are there from the start,
                and those that the user comes into, also where nobody has said anything yet.

        Raises:
            ChatError: it ended for good, as with `SessionReplacedError`.
        """
        stream = self.subscribe(rooms=rooms, window=window)
        heard: set[str] = set()
        try:
            while True:
                while self._pending:
                    due = self._pending.popleft()
                    if due.message is not None:
                        yield due.message
                    if acks:
                        (self.ack if due.message is not None else self.ack_ended)(due.room, due.through)
                try:
                    update = await anext(stream)
                except StopAsyncIteration:
                    return
                if isinstance(update, Frame):
                    for delta in update.deltas:
                        if entered is not None and delta.room not in heard and not delta.ended:
                            entered(delta.room)
                        (heard.discard if delta.ended else heard.add)(delta.room)
                        self._queue(delta, notices)
                elif notices is not None:
                    notices(update)
                if isinstance(update, EpochChanged):
                    self._acks.forget()
                    heard.clear()
        finally:
            stream.abandon()

    def _queue(self, delta: Delta, notices: Callable[[Notice], None] | None) -> None:
        for message in delta.messages:
            # The last one settles the whole delta: what is not for us between it and the end needs no reader.
            through = delta.through if message is delta.messages[-1] else message.sequence
            self._pending.append(_Due(message, delta.room, through))
        if (delta.ended or delta.lost_through) and notices is not None:
            notices(delta)
        if delta.ended:
            # Behind the messages before it, so that its acknowledgement does not overtake theirs.
            self._pending.append(_Due(None, delta.room, delta.through))

    def ack(self, room: str, sequence: int) -> None:
        """Acknowledge, in the background, everything in a room up to a sequence."""
        self._acks.ack(room, sequence)

    def ack_ended(self, room: str, sequence: int) -> None:
        """Acknowledge, in the background, having heard that a membership ended: the `through` of that delta."""
        self._acks.ended(room, sequence)

    async def ack_now(
        self,
        acks: Mapping[str, int],
        ended: Mapping[str, int] = _NOTHING,
        *,
        within: float = DEFAULT_WITHIN,
    ) -> dict[str, Cursor]:
        """Acknowledge and wait for the answer: the cursors of these rooms.

        Args:
            acks: room to the sequence up to which everything was handled.
            ended: room to the `through` of the delta that said that the membership ended.
            within: seconds for all of it.

        Raises:
            ChatError: it is not known whether it arrived, unless the error says so.
        """
        request = AckMessagesRequest(consumer_id=self.consumer, acks=_acks(acks, ended))
        answer = await self._transport.call(self._transport.chat.AckMessages, request, within=within)
        return {cursor.room_id: cursor for cursor in answer.cursors}

    async def flush_acks(self, *, within: float = DEFAULT_WITHIN) -> bool:
        """Wait until all acknowledgements are answered; False when they are not in time."""
        try:
            async with asyncio.timeout(within):
                await self._acks.flush()
        except TimeoutError:
            return False
        return True

    async def progress(self, positions: Sequence[str] = (), *, within: float = DEFAULT_WITHIN) -> Progress:
        """Fence in the open stream: see `Stream.progress`.

        Raises:
            ChatError: also when there is no stream (RuntimeError when none was ever opened).
        """
        if self._stream is None:
            raise RuntimeError("progress() asks in the stream: iterate receive() or subscribe() first")
        return await self._stream.progress(positions, within)

    async def poll(
        self,
        *,
        positions: Sequence[str] = (),
        acks: Mapping[str, int] = _NOTHING,
        ended: Mapping[str, int] = _NOTHING,
        rooms: Sequence[str] = (),
        max_messages: int = 0,
        wait: float = 0.0,
        within: float = DEFAULT_WITHIN,
        patient: bool = True,
    ) -> Polled:
        """Acknowledge, then fetch what is new; one poll at a time, others queue.

        Args:
            positions: answer only from a state that includes these.
            acks: as in `ack_now`.
            ended: as in `ack_now`.
            rooms: only these; empty means all.
            max_messages: 0 leaves it to the server.
            wait: seconds to wait for a first message.
            within: seconds for all of it.
            patient: try again while that is sensible. False shows the first failure.

        Raises:
            ChatError: nothing was handed over; what an answer on its way held comes again.
        """
        request = PollRequest(
            consumer_id=self.consumer,
            acks=_acks(acks, ended),
            room_ids=rooms,
            max_messages=max_messages,
            wait=Duration(seconds=int(wait), nanos=int(wait % 1 * 1e9)),
            include_own=self.include_own,
        )
        return await self._poller.poll(request, positions, within, patient=patient)

    async def list_cursors(self, *, within: float = DEFAULT_WITHIN) -> list[Cursor]:
        """Return how far this consumer has acknowledged each room, and how much is unread."""
        request = ListCursorsRequest(consumer_id=self.consumer)
        pages = self._pages(self._transport.chat.ListCursors, request, "cursors", within)
        return [cursor async for cursor in pages]


def _message(message: Outgoing) -> SendMessageRequest:
    content = message.content.encode() if isinstance(message.content, str) else message.content
    return SendMessageRequest(
        room_id=message.room,
        content=content,
        content_type=message.content_type,
        client_message_id=message.client_message_id or uuid7(),
    )


def _acks(acks: Mapping[str, int], ended: Mapping[str, int]) -> list[Ack]:
    return [
        Ack(room_id=room, sequence=acks.get(room, 0), ended_sequence=ended.get(room, 0))
        for room in dict(acks) | dict(ended)
    ]
