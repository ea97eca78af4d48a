"""Reads a whole log and says everything that is wrong with it. Changes nothing; a server may run meanwhile.

Beyond what SQLite knows of its pages: each entry is as it was written, sequences are dense, what a message says of
itself is where it stands, and nothing points beyond the end of a room.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import DecodeError

from chatsys.core.model import Kind
from chatsys.store import schema
from chatsys.store.rows import checksum
from chatsys.v1 import types_pb2

MOST_FAULTS = 100
"""A log that has more is not told line by line."""


class Checked(NamedTuple):
    """What was found."""

    entries: int
    rooms: int
    faults: list[str]
    """Sentences without their full stop; empty when all is well."""

    @property
    def extent(self) -> str:
        """`21 entries in 1 room`."""
        entries, rooms = "entry" if self.entries == 1 else "entries", "room" if self.rooms == 1 else "rooms"
        return f"{self.entries} {entries} in {self.rooms} {rooms}"


def check(file: Path) -> Checked:
    """Checks one log.

    Args:
        file: The database.
    """
    counts = {"entries": 0, "rooms": 0}
    faults: list[str] = []
    try:
        with closing(schema.open_reader(file)) as connection:
            connection.execute("BEGIN")  # one state for all of it
            for fault in _faults(connection, counts):
                faults.append(fault)
                if len(faults) == MOST_FAULTS:
                    faults.append(f"and more: only the first {MOST_FAULTS} faults are told")
                    break
    except sqlite3.Error as error:
        faults.append(f"it cannot be read: {error}")
    return Checked(counts["entries"], counts["rooms"], faults)


def _faults(connection: sqlite3.Connection, counts: dict[str, int]) -> Iterator[str]:
    found = schema.version(connection)
    if found != schema.SCHEMA_VERSION:
        yield f"it has format {found}, and this version checks format {schema.SCHEMA_VERSION}; serve it once first"
        return
    for (line,) in connection.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
        if line != "ok":
            yield f"SQLite says: {line}"
    yield from _entries(connection, counts)
    yield from _references(connection)


def _entries(connection: sqlite3.Connection, counts: dict[str, int]) -> Iterator[str]:
    position = int(connection.execute("SELECT value FROM meta WHERE key = 'position'").fetchone()[0])
    rooms = connection.execute("SELECT number, room_id, head, first FROM room ORDER BY number").fetchall()
    counts["rooms"] = len(rooms)
    for number, room_id, head, first in rooms:
        expected = first
        rows = connection.execute(
            "SELECT position, sequence, kind, actor_id, client_message_id, body, crc FROM entry"
            " WHERE room = ? ORDER BY sequence",
            (number,),
        )
        for place, sequence, *row in rows:
            counts["entries"] += 1
            if sequence != expected:
                yield f"room {room_id!r} has entry {sequence} where {expected} is due"
            expected = sequence + 1
            if place > position:
                yield f"entry {sequence} of room {room_id!r} is at position {place}, beyond the end {position}"
            fault = _entry(room_id, sequence, *row)
            if fault is not None:
                yield f"entry {sequence} of room {room_id!r} {fault}"
        if expected != head + 1:
            yield f"room {room_id!r} ends at entry {expected - 1}, and says {head}"


def _entry(
    room_id: str,
    sequence: int,
    kind: int,
    actor_id: str,
    client_id: str | None,
    body: object,
    crc: int | None,
) -> str | None:
    if not isinstance(body, bytes) or (crc is not None and checksum(body) != crc):
        return "is not as it was written"
    if kind != Kind.MESSAGE.value:
        return None
    try:
        message = types_pb2.Message.FromString(body)
    except DecodeError:
        return "is no message"
    said = (message.room_id, message.sequence, message.sender_id, message.client_message_id)
    if said != (room_id, sequence, actor_id, client_id or ""):
        return f"says that it is entry {message.sequence} of room {message.room_id!r}"
    return None


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    stray = "SELECT count(*) FROM entry WHERE room NOT IN (SELECT number FROM room)"
    (number,) = connection.execute(stray).fetchone()
    if number:
        yield f"{number} entries belong to no room"
    beyond = connection.execute(
        "SELECT m.user_id, r.room_id FROM membership m LEFT JOIN room r ON r.number = m.room"
        " WHERE r.number IS NULL OR m.join_sequence > r.head OR m.end_sequence > r.head"
    )
    for user_id, room_id in beyond:
        yield f"the membership of {user_id!r} in room {room_id!r} is beyond its end"
    cursors = connection.execute(
        "SELECT c.user_id, r.room_id FROM cursor c LEFT JOIN room r ON r.number = c.room"
        " WHERE r.number IS NULL OR c.acked > r.head OR c.settled > r.head"
    )
    for user_id, room_id in cursors:
        yield f"a cursor of {user_id!r} in room {room_id!r} is beyond its end"
