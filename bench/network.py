"""What it costs that a client connects through chatsim: `python bench/network.py [COUNT]`.

A client sends one small message after the other to a server that sends each back: straight, and through a listener
to which nothing is done. Both are processes of their own, as they are in a run. Printed: how long a round trip takes,
and how much the listener adds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

from machine import describe

from harness.run.network import Network

#: Bytes of a message: about what a send and its answer are.
SIZE = 200
MOST_MS = 0.3

SERVER = f"""
import socket
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    peer, _ = listening.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := peer.recv({SIZE}, socket.MSG_WAITALL):
        peer.sendall(data)
"""
CLIENT = f"""
import socket, sys, time
port, count = map(int, sys.argv[1:])
peer = socket.create_connection(("127.0.0.1", port))
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
took = []
for _ in range(count):
    begun = time.perf_counter_ns()
    peer.sendall(bytes({SIZE}))
    peer.recv({SIZE}, socket.MSG_WAITALL)
    took.append(time.perf_counter_ns() - begun)
print(*took)
"""


async def round_trips(port: int, count: int) -> list[float]:
    """Return how long each round trip took, ms; the first tenth is warming up."""
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, str(port), str(count), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await client.communicate()
    return [int(ns) / 1e6 for ns in said.split()][count // 10 :]


async def measure(count: int) -> float:
    """Print both, and return what the listener adds at the median, ms."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    network = await Network.open(["alice"])
    network.aim(("127.0.0.1", port))
    medians = {}
    try:
        for name, at in (("straight", port), ("through the listener", network.listener("alice").port)):
            took = await round_trips(at, count)
            medians[name] = statistics.median(took)
            p99 = statistics.quantiles(took, n=100)[98]
            print(f"{name:22} p50 {medians[name]:.3f} ms   p99 {p99:.3f} ms   of {len(took):,}")
    finally:
        network.close()
        server.kill()
        await server.wait()
    return medians["through the listener"] - medians["straight"]


def main() -> int:
    """Measure; fail when the listener adds more than it may."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    print(describe())
    added = asyncio.run(measure(count))
    print(f"the listener adds      p50 {added:.3f} ms   (at most {MOST_MS} ms)")
    return int(added > MOST_MS)


if __name__ == "__main__":
    sys.exit(main())
