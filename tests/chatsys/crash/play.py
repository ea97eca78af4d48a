"""Plays one small history against a log, cut off at each boundary in turn, each time in a child of its own.

Run with the shim of powercut.c preloaded: `play.py SHIM FOLDER MODE STEP SYNCHRONOUS`. For each cut it writes a line
of JSON: the boundary, what the child was told was stored, and what a new life of the log has.
"""

import asyncio
import ctypes
import gc
import json
import os
import sys
from pathlib import Path

from chatsys.core.entry import Ack, CreateRoom, Remove, Send, Trim, Update
from chatsys.core.model import Caller, Entry, History, Role
from chatsys.core.outcome import Sent
from chatsys.errors import Refusal
from chatsys.store import SqliteStore, schema
from chatsys.store.check import check
from chatsys.v1 import types_pb2

CUT = 97
ROOT = Caller("root", admin=True)
MEMBERS = (("alice", Role.WRITER), ("bob", Role.WRITER))


def send(n, size=50):
    return Send("alice", 5, "r", f"{n}".encode().ljust(size, b"."), "", f"id-{n}")


GROUPS = [
    [CreateRoom(ROOT, 1, "r", "", History.SINCE_JOIN, Entry.INVITE, MEMBERS, True, "")],
    [send(1)],
    [send(n) for n in range(2, 30)],
    [send(30, 20_000), Ack("bob", "", (("r", 12),))],
    [Update(ROOT, 6, "r", "", display_name="x", retention=(0, 20)), Trim(7, "r", 5)],
    [send(31), Remove(ROOT, 8, "r", "bob")],
]


async def live(directory, tell, synchronous):
    """One life: everything submitted, one group after the other; `tell` hears what is durable."""
    store = SqliteStore.open(directory, "the test")
    # Checkpoints belong to what is cut: let them come after each commit or so.
    if synchronous == "FULL":  # else they are the only thing that waits for the disk
        store._writer._connection.execute("PRAGMA wal_autocheckpoint = 8")
    store._writer._connection.execute(f"PRAGMA synchronous = {synchronous}")
    store.start(lambda _: True)
    for number, group in enumerate(GROUPS):
        outcomes = await store.submit(group)
        assert not any(isinstance(each, Refusal) for each in outcomes), outcomes
        stored = {
            entry.client_message_id: outcome.sequence
            for entry, outcome in zip(group, outcomes, strict=True)
            if isinstance(outcome, Sent)
        }
        tell({"group": number, "stored": stored, "epoch": store.epoch})
    store.close()


def one(shim, directory, boundary, mode, synchronous):
    """Returns (whether it was cut, what it was told)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        shim.powercut_arm(str(directory).encode(), boundary, mode)
        tell = lambda what: os.write(writing, json.dumps(what).encode() + b"\n")  # noqa: E731 - one use, one line
        asyncio.run(live(directory, tell, synchronous))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        told = [json.loads(line) for line in lines]
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, CUT), code
    return code == CUT, told


async def look(directory):
    """What is there after the cut, as the next life sees it; and that life works."""
    store = SqliteStore.open(directory, "the next life")
    store.start(lambda _: True)
    reads = store.reads()
    found = reads.room("r")
    stored, head, cursor, bob = {}, 0, 0, True
    if found is not None:
        number, room = found
        head, cursor = room.head, reads.cursor(number, "bob", "").acked
        membership = reads.membership(number, "r", "bob")
        bob = membership is not None and membership.current
        for row in reads.entries(number, 0, 1_000):
            if row.kind == 2:
                message = types_pb2.Message.FromString(row.body)
                stored[message.client_message_id] = message.sequence
        (again,) = await store.submit([send(99)])
        assert isinstance(again, Sent), again
        assert again.sequence == head + 1
        first = room.first
    else:
        first = 1
    epoch = store.epoch
    store.close()
    faults = check(directory / schema.FILE).faults
    return {
        "stored": stored,
        "head": head,
        "first": first,
        "cursor": cursor,
        "bob": bob,
        "epoch": epoch,
        "faults": faults,
    }


def main():
    library, folder, mode, step, synchronous = sys.argv[1:]
    shim = ctypes.CDLL(library)
    shim.powercut_arm.argtypes = (ctypes.c_char_p, ctypes.c_long, ctypes.c_int)
    gc.freeze()
    boundary = 1
    while True:
        directory = Path(folder) / f"{mode}-{boundary}"
        directory.mkdir()
        cut, told = one(shim, directory, boundary, int(mode), synchronous)
        after = asyncio.run(look(directory))
        sys.stdout.write(json.dumps({"boundary": boundary, "cut": cut, "told": told, "after": after}) + "\n")
        sys.stdout.flush()  # before the next child is forked
        if not cut:
            return
        boundary += int(step)


main()
