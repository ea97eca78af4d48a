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
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from google.protobuf.duration_pb2 import Duration

from chatsys.client.acks import AckPump
from chatsys.client.batches import BatchSender
from chatsys.client.errors import ChatError, LogEpochChangedError, from_result
from chatsys.client.ids import uuid7
from chatsys.client.place import Delta, Place
from chatsys.client.retry import DEFAULT_RETRY, RetryPolicy
from chatsys.client.stream import EpochChanged, Frame, Lost, Progress, Restored, Stream
from chatsys.client.transport import Expectation, Identity, Transport
from chatsys.v1.chat_pb2 import (
    Ack,
    AckMessagesRequest,
    ListCursorsRequest,
    ListMessagesRequest,
    PollRequest,
    SendMessageRequest,
    SendMessageResponse,
)
from chatsys.v1.room_pb2 import (
    AddMemberRequest,
    CreateRoomRequest,
    JoinRoomRequest,
    LeaveRoomRequest,
    ListMembersRequest,
    ListRoomsRequest,
    RemoveMemberRequest,
)
from chatsys.v1.server_pb2 import GetServerInfoRequest, GetServerInfoResponse
from chatsys.v1.types_pb2 import (
    Cursor,
    HistoryVisibility,
    JoinPolicy,
    Member,
    MemberRole,
    Message,
    Room,
    User,
)
from chatsys.v1.user_pb2 import GetUserRequest, RegisterUserRequest, RegisterUserResponse

#: Seconds a call takes at most when its caller does not say.
DEFAULT_WITHIN: Final = 10.0

#: What `receive` tells beside messages.
Notice = Lost | Restored | EpochChanged | Delta


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


class Changed(NamedTuple):
    """A membership changed, or was already as asked."""

    position: str
    sequence: int = 0
    """Where the membership began, for those who came; 0 for those who left."""


class Polled(NamedTuple):
    """What a poll brought, less what the application already had."""

    deltas: tuple[Delta, ...]
    position: str
    caught_up: bool
    epoch_changed: bool = False
    """The server's log was lost or restored since the last answer; reading began at the cursors again."""


class _Due(NamedTuple):
    """What `receive` owes the application, and what it may acknowledge then."""

    message: Message | None
    room: str
    through: int


class Client:
    """One user and consumer on one server. Needs a running event loop; usable in that loop only."""

    def __init__(
        self,
        target: str,
        *,
        user: str | None = None,
        token: str | None = None,
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
            token: bearer token; then the server knows who we are.
            consumer: names the cursor, such as a device; empty is the default one.
            include_own: also receive what this user sent, from whatever device.
            expect_instance: see `Expectation`.
            expect_run: see `Expectation`.
            place: of an earlier client of the same user and consumer, so that nothing comes twice.
            retry: how tries are paced.
        """
        self.consumer = consumer
        self.include_own = include_own
        self.place = place if place is not None else Place()
        self._transport = Transport(
            target, user=user, token=token, expect=Expectation(expect_instance, expect_run), retry=retry
        )
        self._batches = BatchSender(self._transport)
        self._acks = AckPump(self.ack_now, retry=retry)
        self._poll_turn = asyncio.Lock()
        self._stream: Stream | None = None
        self._pending: deque[_Due] = deque()

    @classmethod
    async def connect(cls, target: str, *, within: float = DEFAULT_WITHIN, **options: Any) -> Self:
        """Make a client and see that the server answers and is the right one. Options as for `Client`.

        Raises:
            ChatError: nobody answered in time, or the wrong server did.
        """
        client = cls(target, **options)
        try:
            await client.server_info(within=within)
        except BaseException:
            await client.close()
            raise
        return client

    @property
    def identity(self) -> Identity:
        """Who answered last; empty before the first answer."""
        return self._transport.identity

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream and the connection at once; `flush_acks` first if acknowledgements matter."""
        if self._stream is not None:
            await self._stream.close()
        await self._acks.close()
        await self._batches.close()
        await self._transport.close()

    # --- the server and users ---

    async def server_info(self, *, within: float = DEFAULT_WITHIN) -> GetServerInfoResponse:
        """Return who and what the server is."""
        info: GetServerInfoResponse = await self._transport.call(
            self._transport.server.GetServerInfo, GetServerInfoRequest(), within=within
        )
        return info

    async def register(self, display_name: str, *, within: float = DEFAULT_WITHIN) -> RegisterUserResponse:
        """Make a new user with a name that may repeat; the answer has its id and token. Tried once."""
        answer: RegisterUserResponse = await self._transport.call(
            self._transport.users.RegisterUser,
            RegisterUserRequest(display_name=display_name),
            within=within,
            idempotent=False,
        )
        self.place.saw(answer.position)
        return answer

    async def get_user(self, user: str = "", *, within: float = DEFAULT_WITHIN) -> User:
        """Return a user, the caller when empty."""
        request = GetUserRequest(user_id=user, min_positions=self.place.positions())
        user_found: User = (
            await self._transport.call(self._transport.users.GetUser, request, within=within)
        ).user
        return user_found

    # --- rooms ---

    async def create_room(
        self,
        room: str,
        *,
        display_name: str = "",
        members: Sequence[str] = (),
        admins: Sequence[str] = (),
        history: HistoryVisibility.ValueType = HistoryVisibility.HISTORY_VISIBILITY_SINCE_JOIN,
        entry: JoinPolicy.ValueType = JoinPolicy.JOIN_POLICY_INVITE,
        exclude_caller: bool = False,
        within: float = DEFAULT_WITHIN,
    ) -> tuple[Room, str]:
        """Create a room with the caller as an admin of it; return it and a position.

        Args:
            room: its id, 1-63 characters of [a-z0-9-].
            display_name: shown to people.
            members: users who may write from the start.
            admins: users who may also add and remove others.
            history: whether who joins sees what was written before.
            entry: whether anybody may join.
            exclude_caller: the caller stays outside; needs the admin scope.
            within: seconds.
        """
        request = CreateRoomRequest(
            room=Room(room_id=room, display_name=display_name, history_visibility=history, join_policy=entry),
            member_ids=members,
            admin_ids=admins,
            exclude_caller=exclude_caller,
            request_id=uuid7(),
        )
        answer = await self._transport.call(self._transport.rooms.CreateRoom, request, within=within)
        self.place.saw(answer.position)
        return answer.room, answer.position

    async def join_room(self, room: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Join an open room; joining twice changes nothing."""
        return await self._change(self._transport.rooms.JoinRoom, JoinRoomRequest(room_id=room), within)

    async def leave_room(self, room: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Leave a room; leaving twice changes nothing."""
        return await self._change(self._transport.rooms.LeaveRoom, LeaveRoomRequest(room_id=room), within)

    async def add_member(
        self,
        room: str,
        user: str,
        *,
        role: MemberRole.ValueType = MemberRole.MEMBER_ROLE_WRITER,
        within: float = DEFAULT_WITHIN,
    ) -> Changed:
        """Add another user, or change what they may do."""
        request = AddMemberRequest(room_id=room, user_id=user, role=role)
        return await self._change(self._transport.rooms.AddMember, request, within)

    async def remove_member(self, room: str, user: str, *, within: float = DEFAULT_WITHIN) -> Changed:
        """Remove another user."""
        request = RemoveMemberRequest(room_id=room, user_id=user)
        return await self._change(self._transport.rooms.RemoveMember, request, within)

    async def _change(self, method: Any, request: Any, within: float) -> Changed:
        answer = await self._transport.call(method, request, within=within)
        self.place.saw(answer.position)
        member: Member | None = getattr(answer, "member", None)
        return Changed(answer.position, member.join_sequence if member is not None else 0)

    async def list_rooms(self, *, include_open: bool = False, within: float = DEFAULT_WITHIN) -> list[Room]:
        """Return the caller's rooms, and with `include_open` those that anybody may join."""
        request = ListRoomsRequest(include_open=include_open)
        return [room async for room in self._pages(self._transport.rooms.ListRooms, request, "rooms", within)]

    async def list_members(self, room: str, *, within: float = DEFAULT_WITHIN) -> list[Member]:
        """Return the members of a room."""
        request = ListMembersRequest(room_id=room)
        return [
            member
            async for member in self._pages(self._transport.rooms.ListMembers, request, "members", within)
        ]

    async def _pages(self, method: Any, request: Any, rows: str, within: float) -> AsyncIterator[Any]:
        request.min_positions.extend(self.place.positions())
        async with asyncio.timeout(within * 1.1):  # each page has `within`; all together hardly more
            while True:
                answer = await self._transport.call(method, request, within=within)
                for row in getattr(answer, rows):
                    yield row
                if not answer.next_page_token:
                    return
                request.page_token = answer.next_page_token

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
    ) -> AsyncIterator[Message]:
        """Yield messages as they come, each once, through failures of server and network.

        Args:
            rooms: only these; empty means all.
            window: see `subscribe`.
            acks: acknowledge a message when the next one is asked for. False leaves it to `ack`.
            notices: is told what is no message: connection lost and restored, a changed epoch, and as a
                `Delta` an ended membership or messages that the server no longer had.

        Raises:
            ChatError: it ended for good, as with `SessionReplacedError`.
        """
        stream = self.subscribe(rooms=rooms, window=window)
        try:
            while True:
                while self._pending:
                    due = self._pending.popleft()
                    if due.message is not None:
                        yield due.message
                    if acks:
                        self.ack(due.room, due.through)
                try:
                    update = await anext(stream)
                except StopAsyncIteration:
                    return
                if isinstance(update, Frame):
                    for delta in update.deltas:
                        self._queue(delta, notices)
                elif notices is not None:
                    notices(update)
                if isinstance(update, EpochChanged):
                    self._acks.forget()
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

    async def ack_now(self, acks: Mapping[str, int], *, within: float = DEFAULT_WITHIN) -> dict[str, Cursor]:
        """Acknowledge and wait for the answer: the cursors of these rooms."""
        request = AckMessagesRequest(consumer_id=self.consumer, acks=_acks(acks))
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
        acks: Mapping[str, int] | None = None,
        rooms: Sequence[str] = (),
        max_messages: int = 0,
        wait: float = 0.0,
        within: float = DEFAULT_WITHIN,
        patient: bool = True,
    ) -> Polled:
        """Acknowledge, then fetch what is new; one poll at a time, others queue.

        Args:
            positions: answer only from a state that includes these.
            acks: room to sequence.
            rooms: only these; empty means all.
            max_messages: 0 leaves it to the server.
            wait: seconds to wait for a first message.
            within: seconds for all of it.
            patient: try again while that is sensible. False shows the first failure.

        Raises:
            ChatError: nothing was handed over; what an answer on its way held comes again.
        """
        async with self._poll_turn:
            try:
                return await self._poll_once(
                    positions, acks or {}, rooms, max_messages, wait, within, patient=patient
                )
            except LogEpochChangedError:
                self.place.forget()
                self._acks.forget()
                answer = await self._poll_once(
                    positions, {}, rooms, max_messages, wait, within, patient=patient
                )
                return answer._replace(epoch_changed=True)

    async def _poll_once(
        self,
        positions: Sequence[str],
        acks: Mapping[str, int],
        rooms: Sequence[str],
        max_messages: int,
        wait: float,
        within: float,
        *,
        patient: bool,
    ) -> Polled:
        transport, known = self._transport, self.place.positions()
        request = PollRequest(
            consumer_id=self.consumer,
            acks=_acks(acks),
            room_ids=rooms,
            max_messages=max_messages,
            wait=Duration(seconds=int(wait), nanos=int(wait % 1 * 1e9)),
            min_positions=dict.fromkeys((*known, *positions)),
            include_own=self.include_own,
            resume_after=self.place.resume_after(rooms),
        )
        answer = await transport.call(
            transport.chat.Poll,
            request,
            within=within,
            idempotent=patient,
            try_timeout=transport.retry.try_timeout + wait,
        )
        self.place.saw(answer.position, known)
        deltas = tuple(delta for raw in answer.deltas if (delta := self.place.take(raw)) is not None)
        return Polled(deltas, answer.position, answer.caught_up)

    # --- looking ---

    async def list_messages(
        self,
        room: str,
        *,
        after: int = 0,
        limit: int = 0,
        page_token: str = "",
        positions: Sequence[str] = (),
        within: float = DEFAULT_WITHIN,
    ) -> tuple[list[Message], str]:
        """Read one page of a room, own messages too, moving no cursor.

        Args:
            room: its id.
            after: only messages beyond this sequence.
            limit: at most so many; 0 leaves it to the server.
            page_token: from the page before; then all else must be as it was.
            positions: read from a state that includes these.
            within: seconds.

        Returns:
            The messages, ascending, and the token of the next page, empty at the end.
        """
        request = ListMessagesRequest(
            room_id=room,
            page_size=limit,
            page_token=page_token,
            after_sequence=after,
            min_positions=() if page_token else dict.fromkeys((*self.place.positions(), *positions)),
        )
        answer = await self._transport.call(self._transport.chat.ListMessages, request, within=within)
        return list(answer.messages), answer.next_page_token

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


def _acks(acks: Mapping[str, int]) -> list[Ack]:
    return [Ack(room_id=room, sequence=sequence) for room, sequence in acks.items()]


__all__ = ["Changed", "Client", "Notice", "Outgoing", "Polled", "Sent"]
