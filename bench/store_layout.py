"""Which table layout the log should have: `python bench/store_layout.py [ROWS] [ROOMS] [BYTES]`.

Two layouts, filled and read in turn in one go: an append-only rowid table with UNIQUE (room, sequence), and a
WITHOUT ROWID table with that as its key. Both have the index of client message ids, id first, and look each id up
before they insert, as the server does; WAL, synchronous=FULL, 100 rows a commit, UUIDv7-like ids, rooms at random.
Printed for each: rows stored a second (and of processor time, which a busy machine disturbs less), time to read 100
rows after a cursor, size of the file.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from machine import describe

GROUP = 100
READS = 2_000
ROUNDS = 3

LAYOUTS = {
    "rowid log": (
        "CREATE TABLE entry (position INTEGER PRIMARY KEY, room INTEGER NOT NULL, sequence INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, actor_id TEXT NOT NULL, client_message_id TEXT, body BLOB NOT NULL,"
        " UNIQUE (room, sequence))"
    ),
    "WITHOUT ROWID": (
        "CREATE TABLE entry (position INTEGER NOT NULL, room INTEGER NOT NULL, sequence INTEGER NOT NULL,"
        " kind INTEGER NOT NULL, actor_id TEXT NOT NULL, client_message_id TEXT, body BLOB NOT NULL,"
        " PRIMARY KEY (room, sequence)) WITHOUT ROWID"
    ),
}
INDEX = "CREATE UNIQUE INDEX by_id ON entry (client_message_id, room, actor_id)"
FIND = "SELECT sequence FROM entry WHERE client_message_id = ? AND room = ? AND actor_id = ?"
READ = "SELECT sequence, kind, actor_id, body FROM entry WHERE room = ? AND sequence > ? ORDER BY sequence LIMIT 100"


def fill(connection: sqlite3.Connection, rows: int, rooms: int, size: int) -> tuple[float, float, list[int]]:
    """Store the rows; return seconds, seconds of processor time, and the heads of the rooms."""
    chance = random.Random(1)
    heads = [0] * rooms
    body = chance.randbytes(size)
    started, used = time.perf_counter(), time.process_time()
    for first in range(0, rows, GROUP):
        batch = []
        for number in range(first, min(first + GROUP, rows)):
            room = chance.randrange(rooms)
            heads[room] += 1
            client_id = f"{number // 20:012x}-7{chance.getrandbits(60):015x}"
            assert connection.execute(FIND, (client_id, room, "alice")).fetchone() is None
            batch.append((number + 1, room, heads[room], 2, "alice", client_id, body))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
        connection.execute("COMMIT")
    return time.perf_counter() - started, time.process_time() - used, heads


def read(connection: sqlite3.Connection, heads: list[int]) -> float:
    """Read 100 rows after a cursor, many times; return the median in seconds."""
    chance = random.Random(2)
    taken = []
    for _ in range(READS):
        room = chance.randrange(len(heads))
        after = chance.randrange(max(1, heads[room] - 100))
        started = time.perf_counter()
        connection.execute(READ, (room, after)).fetchall()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    rows, rooms, size = (*(int(each) for each in sys.argv[1:]), *(200_000, 100, 100)[len(sys.argv) - 1 :])
    print(f"{describe()}; SQLite {sqlite3.sqlite_version}; {rows} rows of {size} bytes in {rooms} rooms")
    for round_ in range(ROUNDS):
        for name, table in LAYOUTS.items():
            with tempfile.TemporaryDirectory() as directory:
                file = Path(directory) / "log"
                connection = sqlite3.connect(file, isolation_level=None)
                for statement in ("PRAGMA journal_mode = WAL", "PRAGMA cache_size = -65536", table, INDEX):
                    connection.execute(statement)
                wall, used, heads = fill(connection, rows, rooms, size)
                median = read(connection, heads)
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.close()
                print(
                    f"round {round_ + 1}  {name:14} {rows / wall:9,.0f} rows/s  {rows / used:9,.0f} rows/s of CPU"
                    f"  read {median * 1e6:6.1f} us  {file.stat().st_size / rows:6.0f} B a row"
                )


if __name__ == "__main__":
    main()
