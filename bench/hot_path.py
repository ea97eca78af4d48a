"""What a server does in a second: batches with receivers, single sends, polls with nothing new.

One server process, every acknowledgement fsynced, bodies of 100 bytes; clients are in a process of their own.

    python bench/hot_path.py [MESSAGES] [RECEIVERS]

To compare two states of the code, run it with PYTHONPATH set to each.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time

import grpc
from machine import describe

from chatsys.client import Client, Outgoing
from chatsys.v1 import chat_pb2, chat_pb2_grpc

BODY = b"x" * 100
BATCH = 1_000
POLLS = 500


async def receive(target: str, receivers: int, messages: int) -> None:
    """Reads raw frames, so that the readers cost as little as they can; says when all have all."""
    async with grpc.aio.insecure_channel(target) as channel:
        stub = chat_pb2_grpc.ChatServiceStub(channel)

        async def one(number: int) -> None:
            request = chat_pb2.SubscribeRequest(max_unacked_messages=65_536)
            user = (("chatsys-user", f"reader-{number}"),)
            call = stub.Subscribe(request, metadata=user)
            await call.read()
            opened.release()
            seen = acked = 0
            while seen < messages:
                for delta in (await call.read()).deltas:
                    seen += len(delta.messages)
                    through = delta.through_sequence
                if seen - acked >= 20_000:
                    acked = seen
                    acks = [chat_pb2.Ack(room_id="hall", sequence=through)]
                    await stub.AckMessages(chat_pb2.AckMessagesRequest(acks=acks), metadata=user)
            call.cancel()

        opened = asyncio.Semaphore(0)
        work = [asyncio.create_task(one(number)) for number in range(receivers)]
        for _ in work:
            await opened.acquire()
        print("open", flush=True)
        await asyncio.gather(*work)
        print("done", flush=True)


async def batches(target: str, messages: int) -> float:
    began = time.perf_counter()
    async with Client(target, user="sender") as client:
        sends = [
            client.send_batch([Outgoing("hall", BODY)] * BATCH, within=60) for _ in range(messages // BATCH)
        ]
        await asyncio.gather(*sends)
    return time.perf_counter() - began


async def singles(target: str, messages: int) -> float:
    async with Client(target, user="sender") as client:
        waiting = asyncio.Semaphore(64)

        async def one() -> None:
            async with waiting:
                await client.send("hall", BODY)

        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(messages)))
        return time.perf_counter() - began


async def polls(target: str) -> float:
    """Milliseconds of one poll with nothing new, the median."""
    async with Client(target, user="sender") as client:
        await client.poll()
        took = []
        for _ in range(POLLS):
            began = time.perf_counter()
            await client.poll()
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1_000


async def prepare(target: str, receivers: int) -> None:
    async with Client(target, user="sender") as client:
        await client.create_room("hall", members=[f"reader-{n}" for n in range(receivers)])


def main() -> None:
    if sys.argv[1:2] == ["--receive"]:
        asyncio.run(receive(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
        return
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    receivers = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with tempfile.TemporaryDirectory() as folder:
        serve = [sys.executable, "-m", "chatsys.server.main", "--port", "0", "--data", folder]
        with subprocess.Popen([*serve, "--log-level", "error"], stdout=subprocess.PIPE, text=True) as server:
            target = f"127.0.0.1:{json.loads(server.stdout.readline())['port']}"
            asyncio.run(prepare(target, receivers))
            command = [sys.executable, __file__, "--receive", target, str(receivers), str(messages)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as readers:
                assert readers.stdout.readline() == "open\n"
                began = time.perf_counter()
                acked = asyncio.run(batches(target, messages))
                assert readers.stdout.readline() == "done\n"
                delivered = time.perf_counter() - began
            alone = asyncio.run(singles(target, messages // 20))
            empty = asyncio.run(polls(target))
            server.kill()
    print(describe())
    print(f"{receivers} receivers of one room, {messages:,} messages of {len(BODY)} B")
    print(f"batches: {messages / acked:,.0f} acks/s, {messages * receivers / delivered:,.0f} deliveries/s")
    print(f"single sends, 64 under way: {messages / 20 / alone:,.0f} acks/s")
    print(f"poll with nothing new, {messages:,} stored: {empty:.2f} ms")


if __name__ == "__main__":
    main()
