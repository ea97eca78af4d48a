"""From sending to receiving, at a steady pace, by chatsys and by Redis Streams that fsync every write.

One process sends and receives for each of the two, on a processor of its own, so that one clock serves for both ends;
the server has the other processor. The time of sending is in the message. Who reads Redis does so by XREAD BLOCK over
a connection each, in its own protocol, without a library: cheaper than any client of chatsys.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from figures import median, percentile, say
from served import Served, cores, running, serving
from throughput import furnish, room

from chatsys.client.ids import uuid7
from chatsys.v1 import chat_pb2, chat_pb2_grpc

SIZE = 100
MARK = b"sent-at:"
PATIENCE = 30.0


def content() -> bytes:
    """Return a message that says when it was sent."""
    return (MARK + b"%020d" % time.perf_counter_ns()).ljust(SIZE, b".")


def ages(data: bytes) -> list[float]:
    """Return how old the messages in these bytes are, in milliseconds."""
    now = time.perf_counter_ns()
    parts = data.split(MARK)[1:]
    return [(now - int(part[:20])) / 1e6 for part in parts]


async def paced(number: int, rate: int, send: Callable[[], Awaitable[object]]) -> None:
    """Send so many at this rate, whether the ones before were answered or not."""
    begun = time.perf_counter()
    under_way = []
    for index in range(number):
        await asyncio.sleep(max(0.0, begun + index / rate - time.perf_counter()))
        under_way.append(asyncio.ensure_future(send()))
    await asyncio.gather(*under_way)


async def of_chatsys(served: Served, receivers: int, number: int, rate: int) -> list[float]:
    """Return the ages of all deliveries by chatsys."""
    found: list[float] = []
    async with contextlib.AsyncExitStack() as stack:

        async def channel() -> grpc.aio.Channel:
            options = [("grpc.use_local_subchannel_pool", 1)]
            return await stack.enter_async_context(grpc.aio.insecure_channel(served.target, options=options))

        opened = asyncio.Semaphore(0)

        async def receive(name: str) -> None:
            subscribe = (await channel()).unary_stream("/chatsys.v1.ChatService/Subscribe")
            request = chat_pb2.SubscribeRequest(max_unacked_messages=65_536)
            call = subscribe(request.SerializeToString(), metadata=served.metadata(name))
            await call.read()
            opened.release()
            seen = 0
            while seen < number:
                here = ages(await call.read())
                found.extend(here)
                seen += len(here)
            call.cancel()

        readers = [asyncio.create_task(receive(f"reader-{n}")) for n in range(receivers)]
        for _ in readers:
            await opened.acquire()
        stub = chat_pb2_grpc.ChatServiceStub(await channel())
        metadata = served.metadata("sender")

        def send() -> Awaitable[object]:
            request = chat_pb2.SendMessageRequest(
                room_id=room(0), content=content(), client_message_id=uuid7()
            )
            return stub.SendMessage(request, metadata=metadata)

        async with asyncio.timeout(PATIENCE + number / rate):
            await paced(number, rate, send)
            await asyncio.gather(*readers)
    return found


async def of_redis(port: int, receivers: int, number: int, rate: int) -> list[float]:
    """Return the ages of all deliveries by Redis."""
    found: list[float] = []

    async def receive() -> None:
        reader, writer = await _connected(port)
        last, seen = b"0-0", 0
        while seen < number:
            writer.write(_command(b"XREAD", b"COUNT", b"1000", b"BLOCK", b"0", b"STREAMS", b"room", last))
            answer = await _answer(reader)
            here = ages(b"".join(entry[1][1] for entry in answer[0][1]))
            last = answer[0][1][-1][0]
            found.extend(here)
            seen += len(here)
        writer.close()

    reader, writer = await _connected(port)
    writer.write(_command(b"DEL", b"room"))
    await _answer(reader)
    readers = [asyncio.create_task(receive()) for _ in range(receivers)]
    blocked = b"blocked_clients:%d\r\n" % receivers
    while blocked not in await _asked(reader, writer, b"INFO", b"clients"):  # noqa: ASYNC110 - Redis tells only who asks
        await asyncio.sleep(0.01)  # Redis has no event for that

    async def send() -> None:
        writer.write(_command(b"XADD", b"room", b"*", b"m", content()))

    async def hear() -> None:
        for _ in range(number):
            await _answer(reader)

    async with asyncio.timeout(PATIENCE + number / rate):
        await asyncio.gather(paced(number, rate, send), hear(), *readers)
    writer.close()
    return found


def _command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)  # it has just been started


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: bytes) -> bytes:
    writer.write(_command(*words))
    answer = await _answer(reader)
    assert isinstance(answer, bytes)
    return answer


async def _answer(reader: asyncio.StreamReader) -> Any:
    line = await reader.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"*":
        return [await _answer(reader) for _ in range(int(rest))]
    if kind == b"$":
        return (await reader.readexactly(int(rest) + 2))[:-2]
    assert kind != b"-", line
    return rest


@contextlib.contextmanager
def redis(folder: str) -> Iterator[int | None]:
    """Serve Redis with every write fsynced; yields its port, or None where it is not installed."""
    if shutil.which("redis-server") is None:
        yield None
        return
    mine, _ = cores()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--dir", folder, "--save", ""]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--logfile", f"{folder}/redis.log"]
    with running(command + durable, mine):
        yield port


def measure(receivers: int, number: int, rate: int, rounds: int) -> None:
    """Print how long messages take, and what that is of Redis in the same run."""
    _, others = cores()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, redis(folder) as port:
        for turn in range(rounds):
            # A new server each time: what was not acknowledged before would come again, and count as very old.
            with serving(Path(folder) / f"data-{turn}") as served:
                asyncio.run(furnish(served, 1, receivers))
                ours.append(asyncio.run(of_chatsys(served, receivers, number, rate)))
            if port is not None:
                theirs.append(asyncio.run(of_redis(port, receivers, number, rate)))
    os.sched_setaffinity(0, before)
    print(f"send to receive at {rate} messages/s, {receivers} receivers: the median of {rounds} rounds")
    say("p50", median(percentile(each, 0.5) for each in ours), "ms", most=2.5)
    say("p99", median(percentile(each, 0.99) for each in ours), "ms", most=8)
    if not theirs:
        print("  no redis-server on this machine: not compared (Debian package redis-server)")
        return
    say("p50 of Redis Streams, appendfsync always", median(percentile(each, 0.5) for each in theirs), "ms")
    say("p99 of the same", median(percentile(each, 0.99) for each in theirs), "ms")
    ratios = [percentile(a, 0.5) / percentile(b, 0.5) for a, b in zip(ours, theirs, strict=True)]
    say("p50, round by round", median(ratios), "of Redis", most=3)
