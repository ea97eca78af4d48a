"""Deliveries and acknowledgements a second: batches by one stream, to receivers with a stream each.

The requests are made and encoded before the clock starts, and answers are counted, not read: clients in Python cost
as much as the server otherwise, and it is the server that is measured. The receivers are one process on a processor
of its own; they parse what they get, and acknowledge it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
from figures import median, say
from served import Served, cores, cpu_of, running, serving

from chatsys.client import Client
from chatsys.client.ids import uuid7
from chatsys.v1 import chat_pb2, chat_pb2_grpc

BODY = b"x" * 100
BATCH = 1_000
UNDER_WAY = 8
ACK_EVERY = 20_000
CHANNELS = 4

_SEND = "/chatsys.v1.ChatService/SendMessages"


def room(number: int) -> str:
    """Return the id of a room."""
    return f"room-{number}"


async def furnish(served: Served, rooms: int, receivers: int) -> None:
    """Make rooms with everybody in them."""
    readers = [f"reader-{n}" for n in range(receivers)]
    async with Client(served.target, token=served.token("sender")) as client:
        for number in range(rooms):
            await client.create_room(room(number), members=readers, within=60)


def encoded(messages: int, rooms: int) -> list[bytes]:
    """Return batches as bytes; one after another goes to each room."""
    batches = []
    for start in range(0, messages, BATCH):
        requests = [
            chat_pb2.SendMessageRequest(
                room_id=room(n % rooms), content=BODY, content_type="", client_message_id=uuid7()
            )
            for n in range(start, min(start + BATCH, messages))
        ]
        batches.append(chat_pb2.SendMessagesRequest(requests=requests).SerializeToString())
    return batches


async def send(served: Served, batches: list[bytes]) -> float:
    """Send all batches by one stream; return the seconds until all were answered."""
    async with grpc.aio.insecure_channel(served.target, options=_unlimited()) as channel:
        call = channel.stream_stream(_SEND)(metadata=served.metadata("sender"))
        began = time.perf_counter()
        free = asyncio.Semaphore(UNDER_WAY)

        async def write() -> None:
            for batch in batches:
                await free.acquire()
                await call.write(batch)
            await call.done_writing()

        writing = asyncio.create_task(write())
        answers = []
        while (answer := await call.read()) is not grpc.aio.EOF:
            answers.append(answer)
            free.release()
        took = time.perf_counter() - began
        await writing
    for answer in answers:
        for result in chat_pb2.SendMessagesResponse.FromString(answer).results:
            assert result.HasField("response"), result
    return took


async def receive(target: str, receivers: int, messages: int, tokens: list[str]) -> None:
    """Open the streams, say so, and say when all have all."""
    channels = [
        grpc.aio.insecure_channel(target, options=[*_unlimited(), ("grpc.use_local_subchannel_pool", 1)])
        for _ in range(CHANNELS)
    ]
    opened = asyncio.Semaphore(0)

    async def one(number: int) -> None:
        stub = chat_pb2_grpc.ChatServiceStub(channels[number % CHANNELS])
        metadata = (("authorization", f"Bearer {tokens[number]}"),)
        call = stub.Subscribe(chat_pb2.SubscribeRequest(max_unacked_messages=65_536), metadata=metadata)
        await call.read()
        opened.release()
        seen = acked = 0
        through: dict[str, int] = {}
        while seen < messages:
            for delta in (await call.read()).deltas:
                seen += len(delta.messages)
                through[delta.room_id] = delta.through_sequence
            if seen - acked >= ACK_EVERY:
                acked = seen
                acks = [chat_pb2.Ack(room_id=name, sequence=sequence) for name, sequence in through.items()]
                await stub.AckMessages(chat_pb2.AckMessagesRequest(acks=acks), metadata=metadata)
        assert seen == messages
        call.cancel()

    work = [asyncio.create_task(one(number)) for number in range(receivers)]
    for _ in work:
        await opened.acquire()
    print("open", flush=True)
    await asyncio.gather(*work)
    print("done", flush=True)


def _unlimited() -> list[tuple[str, int]]:
    return [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def receivers_of(
    served: Served, receivers: int, messages: int
) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """Run the receivers, in a process of their own."""
    tokens = [served.token(f"reader-{n}") for n in range(receivers)]
    _, others = cores()
    return running([sys.executable, __file__, served.target, str(receivers), str(messages), *tokens], others)


def once(messages: int, rooms: int, receivers: int) -> dict[str, float]:
    """Measure once; a second of the server's processor counts apart from a second of the wall."""
    batches = encoded(messages, rooms)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as served:
        asyncio.run(furnish(served, rooms, receivers))
        with receivers_of(served, receivers, messages) as readers:
            assert readers.stdout.readline() == "open\n"
            cpu, theirs, began = served.cpu(), cpu_of(readers.pid), time.perf_counter()
            acked = asyncio.run(send(served, batches))
            assert readers.stdout.readline() == "done\n"
            took = time.perf_counter() - began
            used, theirs = served.cpu() - cpu, cpu_of(readers.pid) - theirs
    return {
        "acks": messages / acked,
        "deliveries": messages * receivers / took,
        "acks a busy second": messages / used,
        "deliveries a busy second": messages * receivers / used,
        "server busy": used / took,
        "receivers busy": theirs / took,
    }


def measure(messages: int, receivers: int, rounds: int) -> None:
    """Print the figures of one room and of a hundred."""
    _, others = cores()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)
    for rooms in (1, 100):
        rows = [once(messages, rooms, receivers) for _ in range(rounds)]
        usual = {name: median(row[name] for row in rows) for name in rows[0]}
        where = "1 room" if rooms == 1 else f"{rooms} rooms"
        wanted = {"acks": 60_000, "deliveries": 1_200_000} if rooms == 1 else {}
        print(f"batches, {receivers} receivers, {where}: the median of {rounds} rounds")
        say("deliveries", usual["deliveries"], "a second", least=wanted.get("deliveries"))
        say("acknowledged messages", usual["acks"], "a second", least=wanted.get("acks"))
        say("deliveries, by processor time", usual["deliveries a busy second"], "a busy second")
        say("acknowledged messages, by processor time", usual["acks a busy second"], "a busy second")
        say("server busy / receivers busy", usual["server busy"], f"/ {usual['receivers busy']:.2f}")
    os.sched_setaffinity(0, before)


if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
