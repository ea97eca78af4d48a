"""What many stored messages cost: a poll with nothing new, a start, and memory; by how many there are.

The logs are filled by the server's own writer, decision by decision, without waiting for the disk: in them is what a
server would have put there. Servers of all sizes run at once on one processor, and are polled in turns, so that a
moment that is slow is slow for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import tempfile
import time
from pathlib import Path

import grpc
from figures import median, say
from served import Served, serving

from chatsys.client.ids import uuid7
from chatsys.core.entry import CreateRoom, Send
from chatsys.core.model import Caller, Entry, History, Role
from chatsys.server.services import clock_us
from chatsys.store import SqliteStore, schema
from chatsys.store.writer import Work, Writer, Written
from chatsys.v1 import chat_pb2, room_pb2

BODY = b"x" * 100
ROOMS = 100
GROUP = 2_000
POLLS = 500
STARTS = 5

_ACK = "/chatsys.v1.ChatService/AckMessages"
_POLL = "/chatsys.v1.ChatService/Poll"


def fill(data: Path, messages: int) -> None:
    """Put so many messages into a log, in rooms with a sender and a reader."""
    SqliteStore.open(data, "bench").close()
    connection = schema.open_writer(data / schema.FILE)
    connection.execute("PRAGMA synchronous = OFF")
    left = 0

    def told(written: Written) -> None:
        nonlocal left
        assert not any(each.lost for each in written.done)
        left -= 1

    writer = Writer(connection, told, lambda error: print("not stored:", error))
    caller = Caller("sender", admin=True)
    members = (("reader", Role.WRITER), ("sender", Role.ADMIN))
    rooms = [
        CreateRoom(caller, clock_us(), f"room-{n}", "", History.WHOLE_ROOM, Entry.INVITE, members, False, "")
        for n in range(ROOMS)
    ]
    writer.write([Work(rooms, None, None)])
    left += 1
    writer.start()
    for start in range(0, messages, GROUP):
        now = clock_us()
        sends = [
            Send("sender", now, f"room-{n % ROOMS}", BODY, "", uuid7())
            for n in range(start, min(start + GROUP, messages))
        ]
        left += 1
        writer.write([Work(sends, None, None)])
        while writer.waiting > 8:
            time.sleep(0.001)  # the writer has no event for a shorter queue
    writer.stop()
    assert left == 0
    with contextlib.closing(sqlite3.connect(data / schema.FILE)) as log:
        (stored,) = log.execute("SELECT count(*) FROM entry WHERE kind = 2").fetchone()
        assert stored == messages
        heads = dict(log.execute("SELECT room_id, head FROM room"))
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(heads) == ROOMS


async def caught_up(served: Served, channel: grpc.aio.Channel) -> None:
    """Acknowledge all there is."""
    metadata = served.metadata("reader")
    cursors = await channel.unary_unary("/chatsys.v1.RoomService/ListRooms")(
        b"\x10" + bytes([ROOMS]), metadata=metadata
    )
    rooms = room_pb2.ListRoomsResponse.FromString(cursors).rooms
    acks = [chat_pb2.Ack(room_id=each.room_id, sequence=each.head_sequence) for each in rooms]
    assert len(acks) == ROOMS
    await channel.unary_unary(_ACK)(
        chat_pb2.AckMessagesRequest(acks=acks).SerializeToString(), metadata=metadata
    )


async def polls(servers: list[Served]) -> list[float]:
    """Return the milliseconds of a poll with nothing new of each, the medians of polls in turns."""
    took: list[list[float]] = [[] for _ in servers]
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(each.target)) for each in servers
        ]
        metadata = [each.metadata("reader") for each in servers]
        for served, channel in zip(servers, channels, strict=True):
            await caught_up(served, channel)
        for _ in range(POLLS):
            for index, channel in enumerate(channels):
                began = time.perf_counter()
                answer = await channel.unary_unary(_POLL)(b"", metadata=metadata[index])
                took[index].append(time.perf_counter() - began)
                assert not chat_pb2.PollResponse.FromString(answer).deltas
    return [median(each) * 1_000 for each in took]


def measure(sizes: list[int], keep: Path | None) -> None:
    """Print what each size costs.

    Args:
        sizes: Numbers of messages, ascending.
        keep: Where filled logs are kept for the next time; None keeps none.
    """
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logs = []
        for size in sizes:
            data = folder / f"messages-{size}"
            done = folder / f"messages-{size}.done"
            if not done.exists():
                began = time.perf_counter()
                fill(data, size)
                done.touch()
                print(f"  filled a log with {size:,} messages in {time.perf_counter() - began:.0f} s")
            logs.append(data)
        starts = []
        for _ in range(STARTS):
            with serving(logs[-1]) as served:
                starts.append(served.started)
        servers = [stack.enter_context(serving(data)) for data in logs]
        began = servers[-1].memory()
        found = asyncio.run(polls(servers))
        after = servers[-1].memory()
    print(f"many messages stored in {ROOMS} rooms, all of them the reader's")
    for size, milliseconds in zip(sizes, found, strict=True):
        say(f"poll with nothing new, {size:,} stored", milliseconds, "ms")
    say("the dearest of these to the cheapest", max(found) / min(found), "times", most=1.5)
    say(f"start with {sizes[-1]:,} stored, the median of {STARTS}", median(starts), "s", most=1)
    say(f"memory with {sizes[-1]:,} stored: Pss when started", began[0], "MiB", most=150)
    say("the same after the polls", after[0], "MiB", most=150)
    say("Rss, with what others share", after[1], "MiB", most=150)
