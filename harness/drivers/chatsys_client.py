"""One client of chatsys, or the harness, on top of the client library. `chatsys.py` beside this is the program.

Invariants:
* An acknowledgement leaves only after the deliver lines of what it covers have left this process.
* What was handed over is remembered until the process ends, over any number of `disconnect` and `connect`.
* Nothing connects before `connect`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Final

from chatsys.client import Changed, ChatError, Client, Outgoing, Place
from chatsys.core.position import decode
from chatsys.v1.types_pb2 import HistoryVisibility, JoinPolicy, MemberRole
from harness.drivers.base import Driver
from harness.drivers.chatsys_tokens import change_keys, shown
from harness.drivers.poll_reader import PollReader
from harness.drivers.reading import Reader, text_of
from harness.drivers.request import Request, RequestError
from harness.drivers.stream_reader import StreamReader

#: How long `disconnect` waits for acknowledgements under way, seconds.
FAREWELL: Final = 0.3
#: CreateRoom takes so many members; the others are added one by one.
MEMBERS_AT_ONCE: Final = 256
#: The messages of one `history` answer, bytes of text: JSON may write a byte as six, and a line has 1 MiB.
HISTORY_BYTES: Final = 128 * 1024

_HISTORY: Final = {
    "since_join": HistoryVisibility.HISTORY_VISIBILITY_SINCE_JOIN,
    "whole_room": HistoryVisibility.HISTORY_VISIBILITY_WHOLE_ROOM,
}
_READER, _WRITER = MemberRole.MEMBER_ROLE_READER, MemberRole.MEMBER_ROLE_WRITER
_ENTRY: Final = {"invite": JoinPolicy.JOIN_POLICY_INVITE, "open": JoinPolicy.JOIN_POLICY_OPEN}


class Session:
    """What a driver for chatsys does with its requests, once it knows who to play; one method an op."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._place = Place()
        self._client: Client | None = None
        self._reader: Reader | None = None
        self._connecting = False
        self._address = ""
        self._server: Mapping[str, Any] = {}

    # --- coming and going ---

    async def connect(self, request: Request) -> Mapping[str, Any]:
        """Connect, and be ready to receive."""
        if self._client is not None or self._connecting:
            raise RequestError("FAILED_PRECONDITION", "CONNECTED", "connect: the client is connected")
        server = request.mapping("server")
        address = request.address()
        user, token = shown(self._driver.user, self._driver.role, self._driver.token, server)
        self._connecting = True
        client = Client(
            address,
            user=user,
            token=token,
            consumer=self._driver.consumer,
            include_own=self._driver.include_own,
            expect_instance=server.get("instance"),
            expect_run=server.get("run"),
            place=self._place,
        )
        reader: Reader | None = None
        try:
            position = ""
            if self._driver.role == "harness":
                position = (await client.server_info(within=request.within)).position
            else:
                kind = StreamReader if self._driver.receive == "stream" else PollReader
                reader = kind(self._driver, client)
                position = await reader.start(request.within)
        except BaseException as fault:
            if reader is not None:
                await reader.stop()
            await client.close()
            if isinstance(fault, ChatError):
                raise _answer(fault) from fault
            raise
        finally:
            self._connecting = False
        self._client, self._reader, self._address, self._server = client, reader, address, server
        epoch = decode(position, "position")[0] if position else ""
        return self._visible({"instance": client.identity.instance, "position": position, "epoch": epoch})

    async def disconnect(self, _request: Request) -> Mapping[str, Any]:
        """Go offline: end what is under way, let acknowledgements leave."""
        client, reader = self._client, self._reader
        if client is None:
            raise _offline("disconnect")
        self._client = self._reader = None
        await self._driver.cancel_others()
        if reader is not None:
            await reader.stop(FAREWELL)
        await client.close()
        return {}

    async def leave_now(self) -> None:
        """Close the connection without waiting for anything."""
        if self._client is not None:
            await self._client.close()

    # --- rooms ---

    async def create(self, request: Request) -> Mapping[str, Any]:
        """Make a room; the harness stays out of it."""
        client = self._online(request)
        room, members, admins = request.text("room"), request.texts("members"), request.texts("admins")
        readers = request.texts("readers")
        first = [user for user in members if user not in admins and user not in readers]
        del first[max(0, MEMBERS_AT_ONCE - len(admins)) :]
        try:
            _, position = await client.create_room(
                room,
                members=first,
                admins=admins,
                history=_HISTORY[request.choice("history", tuple(_HISTORY))],
                entry=_ENTRY[request.choice("entry", tuple(_ENTRY))],
                exclude_caller=self._driver.role == "harness",
                within=request.within,
            )
            for user in members:
                if user not in first and user not in admins:
                    role = _READER if user in readers else _WRITER
                    added = await client.add_member(room, user, role=role, within=request.within)
                    position = added.position
        except ChatError as fault:
            raise _answer(fault) from fault
        return self._visible({"position": position})

    async def join(self, request: Request) -> Mapping[str, Any]:
        """Join an open room."""
        client, room = self._online(request), request.text("room")
        return await self._membership(client.join_room(room, within=request.within))

    async def leave(self, request: Request) -> Mapping[str, Any]:
        """Leave a room."""
        client, room = self._online(request), request.text("room")
        return await self._membership(client.leave_room(room, within=request.within))

    async def add(self, request: Request) -> Mapping[str, Any]:
        """Add another user."""
        client, room, user = self._online(request), request.text("room"), request.text("user")
        return await self._membership(client.add_member(room, user, within=request.within))

    async def kick(self, request: Request) -> Mapping[str, Any]:
        """Remove another user."""
        client, room, user = self._online(request), request.text("room"), request.text("user")
        return await self._membership(client.remove_member(room, user, within=request.within))

    async def _membership(self, change: Coroutine[Any, Any, Changed]) -> Mapping[str, Any]:
        try:
            changed = await change
        except ChatError as fault:
            raise _answer(fault) from fault
        return self._visible({"position": changed.position, "sequence": changed.sequence})

    # --- messages ---

    async def send(self, request: Request) -> Mapping[str, Any]:
        """Store one message under the id given."""
        client = self._online(request)
        room, text, message = request.text("room"), request.text("text"), request.text("message")
        try:
            if self._driver.sends == "stream":
                (sent,) = await client.send_batch([Outgoing(room, text, message)], within=request.within)
                if isinstance(sent, ChatError):
                    raise sent
            else:
                sent = await client.send(room, text, client_message_id=message, within=request.within)
        except ChatError as fault:
            raise _answer(fault) from fault
        answer: dict[str, Any] = {"sequence": sent.sequence, "position": sent.position}
        return self._visible({**answer, "duplicate": True} if sent.duplicate else answer)

    async def poll(self, request: Request) -> Mapping[str, Any]:
        """Read until caught up with the positions."""
        reader = self._receiving(request)
        if not isinstance(reader, PollReader):
            raise RequestError("FAILED_PRECONDITION", "NOT_POLLING", "poll: this client receives by stream")
        try:
            answer = await reader.read(request)
        except ChatError as fault:
            raise _answer(fault) from fault
        return self._visible(answer)

    async def ack(self, request: Request) -> Mapping[str, Any]:
        """Acknowledge, and wait for the answer."""
        client, acks = self._online(request), request.sequences("acks")
        await self._driver.flushed()
        try:
            cursors = await client.ack_now(acks, within=request.within)
        except ChatError as fault:
            raise _answer(fault) from fault
        return {"cursors": {room: cursor.acked_sequence for room, cursor in cursors.items()}}

    async def fence(self, request: Request) -> Mapping[str, Any] | None:
        """Wait until this client's record is complete up to positions, or to markers."""
        reader = self._receiving(request)
        by_marker = "markers" in request.fields
        if not by_marker and "position" not in self._driver.capabilities:
            raise RequestError("UNIMPLEMENTED", "NO_CAPABILITY", "fence: this driver lacks `position`")
        try:
            answer = await (reader.fence_markers(request) if by_marker else reader.fence_positions(request))
        except ChatError as fault:
            raise _answer(fault) from fault
        return self._visible(answer)

    async def history(self, request: Request) -> Mapping[str, Any]:
        """Read a room, a page at a time, own messages too."""
        client = self._online(request)
        limit = request.number("limit", 500) or 500
        try:
            page, token = await client.list_messages(
                request.text("room"),
                after=request.number("after", 0),
                limit=limit,
                positions=request.texts("positions"),
                within=request.within,
            )
        except ChatError as fault:
            raise _answer(fault) from fault
        messages: list[dict[str, Any]] = []
        size = 0
        for message in page:
            size += len(message.content)
            if messages and size > HISTORY_BYTES:
                return {"messages": messages, "more": True}
            messages.append(
                {
                    "room": message.room_id,
                    "message": message.client_message_id,
                    "sender": message.sender_id,
                    "text": text_of(message),
                    "sequence": message.sequence,
                }
            )
        if token:
            return {"messages": messages, "more": True}
        return {"messages": messages, "more": False, **await self._lost(client, request)}

    async def _lost(self, client: Client, request: Request) -> Mapping[str, int]:
        """Say how far retention has removed a room; asked after reading, so that it covers what was not there."""
        try:
            room = await client.get_room(request.text("room"), within=request.within)
        except ChatError as fault:
            raise _answer(fault) from fault
        return {"lost": room.first_sequence - 1} if room.first_sequence > 1 else {}

    # --- keys ---

    async def rotate_keys(self, request: Request) -> Mapping[str, Any]:
        """Change the keys of the server, and go on with a token of the newest: the sight of it tells the server."""
        old = self._online(request)
        change_keys(request.choice("change", ("add", "retire")), self._server)
        user, token = shown(self._driver.user, self._driver.role, self._driver.token, self._server)
        fresh = Client(self._address, user=user, token=token, place=self._place)
        try:
            await fresh.server_info(within=request.within)
        except ChatError as fault:
            await fresh.close()
            raise _answer(fault) from fault
        self._client = fresh
        await old.close()
        return {}

    # --- helpers ---

    def _online(self, request: Request) -> Client:
        if self._client is None:
            raise _offline(request.op)
        return self._client

    def _receiving(self, request: Request) -> Reader:
        if self._client is None:
            raise _offline(request.op)
        if self._reader is None:
            raise RequestError(
                "FAILED_PRECONDITION", "NO_READER", f"{request.op}: the harness does not receive"
            )
        return self._reader

    def _visible(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what is empty, and what belongs to a capability this driver does without."""
        hidden = () if "position" in self._driver.capabilities else ("position", "caught_up")
        return {
            key: value for key, value in answer.items() if key not in hidden and (value or value is False)
        }


def _offline(op: str) -> RequestError:
    return RequestError("FAILED_PRECONDITION", "NOT_CONNECTED", f"{op}: the client is not connected")


def _answer(fault: ChatError) -> RequestError:
    return RequestError(fault.code.name, fault.reason, fault.message, definite=fault.definite)
