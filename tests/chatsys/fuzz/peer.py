"""Calls with raw bytes in and out: what no generated stub would send, and what came of it."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import grpc
from google.protobuf.descriptor import MethodDescriptor

from chatsys.errors import Refusal
from chatsys.errors.wire import DETAILS_KEY, from_status_bytes

Metadata = tuple[tuple[str, str | bytes], ...]

WITHIN = 20.0
"""Seconds that a server may take for a call that waits for nothing, however busy the machine is."""

OWN_WORDS = "Internal error from Core"
"""What the library on our side says when a call ended while it was writing; the server's status is lost then."""


class Question(NamedTuple):
    """What is sent, and how."""

    path: str
    requests: Sequence[bytes]
    metadata: Metadata
    timeout: float
    streams: tuple[bool, bool]
    """Whether requests and answers are many."""


class Answer(NamedTuple):
    """How a call ended."""

    code: str
    message: str
    details: bytes
    responses: tuple[bytes, ...]

    @property
    def refusal(self) -> Refusal | None:
        """The reason in the details; None without one."""
        return from_status_bytes(self.details) if self.details else None


class Peer:
    """One channel to one server.

    Args:
        address: host:port.
    """

    def __init__(self, address: str) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1)]
        self._channel: Any = grpc.aio.insecure_channel(address, options=options)

    async def close(self) -> None:
        await self._channel.close()

    async def call(
        self, method: MethodDescriptor, requests: Sequence[bytes], metadata: Metadata, timeout: float
    ) -> Answer:
        """One call from beginning to end; of an endless answer, the first message."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        streams = (method.client_streaming, method.server_streaming)
        return await self.raw(Question(path, requests, metadata, timeout, streams))

    async def raw(self, question: Question) -> Answer:
        """The same by path."""
        while True:
            answer = await self._once(question)
            if answer.message != OWN_WORDS:
                return answer

    async def _once(self, question: Question) -> Answer:
        path, requests, metadata, timeout, streams = question
        responses: list[bytes] = []
        try:
            if streams == (True, True):
                await self._converse(question, responses)
            elif streams == (False, True):
                call = self._channel.unary_stream(path)(requests[0], metadata=metadata, timeout=timeout)
                first = await call.read()
                if first is grpc.aio.EOF:
                    code = await call.code()
                    assert code is grpc.StatusCode.OK, "an error is raised by read()"
                else:
                    responses.append(first)
                call.cancel()
            else:
                responses.append(
                    await self._channel.unary_unary(path)(requests[0], metadata=metadata, timeout=timeout)
                )
        except grpc.aio.AioRpcError as error:
            details = dict(error.trailing_metadata() or ()).get(DETAILS_KEY, b"")
            assert isinstance(details, bytes)
            return Answer(error.code().name, error.details() or "", details, tuple(responses))
        return Answer("OK", "", b"", tuple(responses))

    async def _converse(self, question: Question, responses: list[bytes]) -> None:
        call = self._channel.stream_stream(question.path)(
            metadata=question.metadata, timeout=question.timeout
        )
        try:
            for request in question.requests:
                await call.write(request)
            await call.done_writing()
        except asyncio.InvalidStateError:
            pass  # it has ended already; reading says how
        while (response := await call.read()) is not grpc.aio.EOF:
            responses.append(response)
