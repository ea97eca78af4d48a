"""Single sends: one call a message, beside calls of a server that does nothing at all, in turns.

Both servers have the same processor, the same caller on another one, and as many calls under way.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from figures import median, say
from served import Metadata, Served, cores, running, serving
from throughput import BODY, furnish, receivers_of, room

from chatsys.client.ids import uuid7
from chatsys.v1 import chat_pb2

UNDER_WAY = 64
_ECHO = "/echo.Echo/Echo"
_SEND = "/chatsys.v1.ChatService/SendMessage"


async def echo() -> None:
    """Serve a method that takes nothing and answers nothing, until killed."""

    class Echo(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
            return self._handler if details.method == _ECHO else None

        async def answer(self, request: bytes, context: object) -> bytes:  # noqa: ARG002  # as gRPC calls it
            return b""

        def __init__(self) -> None:
            self._handler = grpc.unary_unary_rpc_method_handler(self.answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Echo(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


async def calls(
    target: str, path: str, number: int, metadata: Metadata, request: Callable[[], bytes]
) -> float:
    """Make calls, so many under way at once; return how many ended in a second."""
    requests = [request() for _ in range(number)]
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(path)
        await call(requests.pop(), metadata=metadata)

        async def some() -> None:
            while requests:
                await call(requests.pop(), metadata=metadata)

        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(UNDER_WAY)))
        return (number - 1) / (time.perf_counter() - began)


def _message() -> bytes:
    request = chat_pb2.SendMessageRequest(room_id=room(0), content=BODY, client_message_id=uuid7())
    encoded: bytes = request.SerializeToString()
    return encoded


def _sends(served: Served, number: int) -> float:
    return asyncio.run(calls(served.target, _SEND, number, served.metadata("sender"), _message))


def measure(number: int, receivers: int, rounds: int) -> None:
    """Print acknowledgements a second without and with receivers, and what that is of the other server."""
    mine, others = cores()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)
    command = [sys.executable, __file__]
    echoes, alone, ratios, heard = [], [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "data") as served,
        running(command, mine) as empty,
    ):
        target = f"127.0.0.1:{empty.stdout.readline().strip()}"
        asyncio.run(furnish(served, 1, receivers))
        for _ in range(rounds):
            echoes.append(asyncio.run(calls(target, _ECHO, number, (), bytes)))
            alone.append(_sends(served, number))
            ratios.append(alone[-1] / echoes[-1])
        for _ in range(rounds):
            with receivers_of(served, receivers, number) as readers:
                assert readers.stdout.readline() == "open\n"
                heard.append(_sends(served, number))
                assert readers.stdout.readline() == "done\n"
    os.sched_setaffinity(0, before)
    print(f"single sends, {UNDER_WAY} under way: the median of {rounds} rounds")
    say("acknowledged messages", median(alone), "a second", least=4_000)
    say("an empty echo, in turns with it", median(echoes), "a second")
    say("ratio, round by round", median(ratios), "of the echo", least=0.7)
    say(f"acknowledged messages, {receivers} receivers", median(heard), "a second")
    say(f"deliveries, {receivers} receivers", median(heard) * receivers, "a second")


if __name__ == "__main__":
    asyncio.run(echo())
