"""What a thousand subscribers that have stalled cost a server in memory, while a room goes on.

Two ways to stall: readers that read and never acknowledge, whose window is soon full, and readers whose process is
stopped, so that not even the connection is read. The memory of the server (its resident set, /proc/PID/status) is
read before they come, when they are there, and after each part of the messages. It must not grow with the messages.

    python bench/stalled_subscribers.py [SUBSCRIBERS] [MESSAGES]
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
from machine import describe

from chatsys.client import Client, Outgoing
from chatsys.v1 import chat_pb2, chat_pb2_grpc

ROOM = "hall"
BODY = "x" * 1_000
CONNECTIONS = 20
PARTS = 4


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(pid)


async def subscribe(target: str, number: int) -> None:
    """Opens the streams, says so, and reads without ever acknowledging."""
    channels = [
        grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(CONNECTIONS)
    ]
    calls = []
    for n in range(number):
        stub = chat_pb2_grpc.ChatServiceStub(channels[n % CONNECTIONS])
        calls.append(stub.Subscribe(chat_pb2.SubscribeRequest(), metadata=(("chatsys-user", f"user-{n}"),)))
    await asyncio.gather(*(call.read() for call in calls))
    print("open", flush=True)

    async def read(call: grpc.aio.UnaryStreamCall) -> None:
        while await call.read() is not grpc.aio.EOF:
            pass

    await asyncio.gather(*(read(call) for call in calls))


async def send(target: str, number: int) -> float:
    began = time.perf_counter()
    async with Client(target, user="root") as client:
        for start in range(0, number, 500):
            await client.send_batch([Outgoing(ROOM, BODY)] * min(500, number - start), within=60)
    return time.perf_counter() - began


async def prepare(target: str, number: int) -> None:
    async with Client(target, user="root") as client:
        await client.create_room(ROOM)
        await asyncio.gather(*(client.add_member(ROOM, f"user-{n}", within=60) for n in range(number)))


def once(subscribers: int, messages: int, *, stopped: bool) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        serve = [sys.executable, "-m", "chatsys.server.main", "--port", "0", "--data", folder]
        with subprocess.Popen([*serve, "--log-level", "error"], stdout=subprocess.PIPE, text=True) as server:
            target = f"127.0.0.1:{json.loads(server.stdout.readline())['port']}"
            asyncio.run(prepare(target, subscribers))
            figures = [resident_mib(server.pid)]
            command = [sys.executable, __file__, "--subscribe", target, str(subscribers)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as readers:
                assert readers.stdout.readline() == "open\n"
                figures.append(resident_mib(server.pid))
                if stopped:
                    os.kill(readers.pid, signal.SIGSTOP)
                for _ in range(PARTS):
                    asyncio.run(send(target, messages // PARTS))
                    figures.append(resident_mib(server.pid))
                readers.send_signal(signal.SIGKILL)
            server.kill()
    return figures


def main() -> None:
    if sys.argv[1:2] == ["--subscribe"]:
        asyncio.run(subscribe(sys.argv[2], int(sys.argv[3])))
        return
    subscribers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    print(describe())
    print(
        f"{subscribers} stalled subscribers of one room, {messages} messages of {len(BODY)} B in {PARTS} parts"
    )
    for stopped in (False, True):
        figures = once(subscribers, messages, stopped=stopped)
        what = "their process is stopped" if stopped else "they read and never acknowledge"
        before, there, *after = (f"{each:.0f}" for each in figures)
        print(f"{what}: server {before} MiB, with them {there} MiB, then {', '.join(after)} MiB")


if __name__ == "__main__":
    main()
