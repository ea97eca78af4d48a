"""A chatsys server whose every answer a test writes: for what a real server does only on a bad day."""

# ruff: noqa: N802 - the methods have the names of the contract

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from chatsys.v1.chat_pb2 import (
    AckMessagesResponse,
    PollResponse,
    RequestProgressResponse,
    RoomDelta,
    SendMessageResponse,
    SubscribeResponse,
)
from chatsys.v1.chat_pb2_grpc import ChatServiceServicer, add_ChatServiceServicer_to_server
from chatsys.v1.server_pb2 import GetServerInfoResponse
from chatsys.v1.server_pb2_grpc import ServerServiceServicer, add_ServerServiceServicer_to_server
from chatsys.v1.types_pb2 import Cursor, Message

Frames = AsyncIterator[SubscribeResponse]


class Scripted(ChatServiceServicer, ServerServiceServicer):
    """Answers as it is told: each list has what the calls of a kind do, in order; the last one does it for ever."""

    def __init__(self, instance: str = "one", run: str = "run") -> None:
        self.metadata = (("chatsys-instance", instance), ("chatsys-run", run))
        self.requests: list[Any] = []
        self.streams: list[Callable[[Scripted, Any], Frames]] = []
        self.sends: list[Callable[[Any, Any], Awaitable[SendMessageResponse]]] = []
        self.polls: list[Callable[[Any, Any], Awaitable[PollResponse]]] = []
        self.batches: list[Callable[[Any, Any], AsyncIterator[Any]]] = []
        self.acks: list[Callable[[Any, Any], Awaitable[AckMessagesResponse]]] = []
        self._call = asyncio.Event()
        self.tokens: asyncio.Queue[str] = asyncio.Queue()

    def seen(self, kind: type) -> list[Any]:
        return [request for request in self.requests if isinstance(request, kind)]

    async def called(self, kind: type) -> None:
        """Wait for the first request of a kind."""
        while not self.seen(kind):
            self._call.clear()
            await self._call.wait()

    async def _begin(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self._call.set()
        await context.send_initial_metadata(self.metadata)

    async def GetServerInfo(self, request, context):
        await self._begin(request, context)
        return GetServerInfoResponse(instance_id=self.metadata[0][1])

    async def SendMessage(self, request, context):
        await self._begin(request, context)
        return await _next(self.sends)(request, context)

    async def SendMessages(self, request_iterator, context):
        await context.send_initial_metadata(self.metadata)
        async for answer in _next(self.batches)(request_iterator, context):
            yield answer

    async def Poll(self, request, context):
        await self._begin(request, context)
        return await _next(self.polls)(request, context)

    async def Subscribe(self, request, context):
        await self._begin(request, context)
        async for frame in _next(self.streams)(self, context):
            yield frame

    async def RequestProgress(self, request, context):
        await self._begin(request, context)
        self.tokens.put_nowait(request.token)
        return RequestProgressResponse()

    async def AckMessages(self, request, context):
        await self._begin(request, context)
        if self.acks:
            return await _next(self.acks)(request, context)
        cursors = [Cursor(room_id=ack.room_id, acked_sequence=ack.sequence) for ack in request.acks]
        return AckMessagesResponse(cursors=cursors)


def _next(script: list[Any]) -> Any:
    return script.pop(0) if len(script) > 1 else script[0]


@asynccontextmanager
async def serving(server: Scripted) -> AsyncIterator[str]:
    """Serve on a free port of loopback; yields "host:port"."""
    grpc_server = aio.server(options=[("grpc.so_reuseport", 0)])
    add_ChatServiceServicer_to_server(server, grpc_server)
    add_ServerServiceServicer_to_server(server, grpc_server)
    port = grpc_server.add_insecure_port("127.0.0.1:0")
    await grpc_server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await grpc_server.stop(None)


def message(sequence: int, room: str = "lobby", sender: str = "alice") -> Message:
    return Message(
        room_id=room,
        sequence=sequence,
        sender_id=sender,
        content=f"m{sequence}".encode(),
        client_message_id=f"id-{sequence}",
    )


def frame(after: int, through: int, *sequences: int, position: str = "", **fields: Any) -> SubscribeResponse:
    return SubscribeResponse(
        deltas=[delta(after, through, *sequences)],
        position=position or f"p{through}",
        caught_up=True,
        **fields,
    )


def delta(after: int, through: int, *sequences: int, room: str = "lobby", **fields: Any) -> RoomDelta:
    return RoomDelta(
        room_id=room,
        after_sequence=after,
        through_sequence=through,
        messages=[message(sequence, room) for sequence in sequences],
        head_sequence=through,
        **fields,
    )


async def abort(
    context: Any, code: grpc.StatusCode, reason: str, *, retry_after: float | None = None, **metadata: str
) -> None:
    """End a call as chatsys does: with ErrorInfo, and RetryInfo when `retry_after` is given."""
    status = status_pb2.Status(code=code.value[0], message=reason.lower())
    details: list[Any] = [error_details_pb2.ErrorInfo(reason=reason, domain="chatsys", metadata=metadata)]
    if retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(int(retry_after * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    trailer = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, trailer)


async def forever() -> None:
    """Hold a call open until its client goes."""
    await asyncio.Event().wait()
