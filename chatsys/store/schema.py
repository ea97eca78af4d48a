"""The tables, and how connections are opened. See ``migrate`` for older ones.

A change of the tables raises ``SCHEMA_VERSION`` and needs a step there.
``entry`` is an append-only rowid table whose rowid is the position: see docs/adr for the measurement against
WITHOUT ROWID. Only ``message`` bodies are encoded chatsys.v1.Message, ready to be sent as they are.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsys import private

SCHEMA_VERSION = 3

FILE = "chatsys.sqlite3"
"""Name of the database in the data directory."""

# The id comes first in the index of client message ids: UUIDv7 grow with time, so new ones land on its last
# pages however many rooms there are.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE user (user_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, create_time_us INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE room (number INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
  history INTEGER NOT NULL, entry INTEGER NOT NULL, head INTEGER NOT NULL, create_time_us INTEGER NOT NULL,
  creator_id TEXT NOT NULL, request TEXT NOT NULL, etag TEXT NOT NULL, first INTEGER NOT NULL,
  deleted INTEGER NOT NULL, max_age_us INTEGER NOT NULL, max_entries INTEGER NOT NULL, direct INTEGER NOT NULL);
CREATE TABLE entry (position INTEGER PRIMARY KEY, room INTEGER NOT NULL, sequence INTEGER NOT NULL,
  kind INTEGER NOT NULL, actor_id TEXT NOT NULL, client_message_id TEXT, body BLOB NOT NULL,
  crc INTEGER, UNIQUE (room, sequence));
CREATE UNIQUE INDEX entry_by_client_message_id ON entry (client_message_id, room, actor_id)
  WHERE client_message_id IS NOT NULL;
CREATE TABLE membership (user_id TEXT NOT NULL, room INTEGER NOT NULL, role INTEGER NOT NULL,
  join_sequence INTEGER NOT NULL, join_time_us INTEGER NOT NULL, end_sequence INTEGER NOT NULL,
  PRIMARY KEY (user_id, room)) WITHOUT ROWID;
CREATE INDEX membership_by_room ON membership (room, user_id) WHERE end_sequence = 0;
CREATE TABLE cursor (user_id TEXT NOT NULL, consumer_id TEXT NOT NULL, room INTEGER NOT NULL,
  acked INTEGER NOT NULL, settled INTEGER NOT NULL, PRIMARY KEY (user_id, consumer_id, room)) WITHOUT ROWID;
CREATE INDEX room_to_trim ON room (number) WHERE deleted > first OR max_age_us > 0 OR max_entries > 0;
"""


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. May be handed to another thread once.

    Raises:
        sqlite3.Error: The file cannot be opened or is no database.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
    except BaseException:  # whatever it was, nobody else can close it
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that is written inside, or nothing of it.

    Raises:
        sqlite3.Error: It could not be written; the log is as it was.
    """
    if (
        connection.in_transaction
    ):  # the ROLLBACK of the one before failed, as on a disk that gave up for a while
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:  # a transaction left open would lock out everybody, also after an interrupt
        if connection.in_transaction:  # some errors have ended it already
            connection.execute("ROLLBACK")
        raise


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and never checkpoints."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def create(path: Path, epoch: str) -> None:
    """Makes the file of an empty log: whole and durable, or not at all.

    It is built beside its place without waiting for the disk, and moved there when it is safe: two waits instead
    of about eight, which is most of the time a server needs to start.

    Raises:
        OSError: The directory cannot be written.
        sqlite3.Error: The same, as SQLite says it.
    """
    building = path.with_name(f"{path.name}.new")
    building.unlink(missing_ok=True)
    os.close(private.make(building))
    connection = sqlite3.connect(building, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN")
        for statement in _TABLES.split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [("epoch", epoch), ("position", 0), ("schema", SCHEMA_VERSION)]
        )
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    _sync(building)
    building.rename(path)
    _sync(path.parent)


def strays(path: Path) -> list[Path]:
    """What a log that was moved away left beside its place: SQLite would take it for part of the next one there."""
    beside = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-journal"))
    # Empty ones, which a reader of a log that nobody serves leaves, are part of nothing.
    return [] if path.exists() else [file for file in beside if file.exists() and file.stat().st_size]


def version(connection: sqlite3.Connection) -> int:
    """The schema version of a file; 0 when it is no log of ours."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
        return 0
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return int(row[0]) if row is not None else 0


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
