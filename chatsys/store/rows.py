"""What is read from the log: entries, each as it was written or not at all, and where readers stand.

``Row.crc`` is what tells: a body that is not what its checksum says raises ``CorruptError``, whoever reads it.
"""

import sqlite3
import sys
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from chatsys.core.model import History, Stored
from chatsys.v1 import types_pb2


class CorruptError(sqlite3.DatabaseError):
    """What is read is not what was written."""


class Place(NamedTuple):
    """Where one consumer stands in one room that its user is or was a member of."""

    number: int
    """The store's own short name of the room."""
    room_id: str
    history: History
    head: int
    join_sequence: int
    end_sequence: int
    """0 while the user is a member."""
    acked: int
    """What the consumer acknowledged; 0 if nothing."""
    first: int = 1
    """Sequence of the oldest entry still stored."""
    settled: int = 0
    """Up to which end of a membership the consumer has heard of it; 0 if of none."""


class Row(NamedTuple):
    """One entry of a room as stored."""

    sequence: int
    kind: int
    """A number of ``Kind``."""
    actor_id: str
    """The sender, when it is a message."""
    body: bytes
    """Encoded chatsys.v1.Message, when it is a message."""
    crc: int | None = None
    """Of the body; None in entries older than format 2."""


def checksum(body: bytes) -> int:
    """What ``Row.crc`` must be."""
    return zlib.crc32(body)


def sound(
    number: int, found: Iterable[tuple[Any, ...]], max_bytes: int = sys.maxsize
) -> tuple[list[Row], int]:
    """Rows as they come, until their bodies have so many bytes, and how many they have.

    Raises:
        CorruptError: One of this room is not as it was written.
    """
    rows: list[Row] = []
    size = 0
    for values in found:
        row = Row._make(values)
        if not _is_whole(row.body, row.crc):
            raise CorruptError(f"entry {row.sequence} of room number {number} is not as it was written")
        rows.append(row)
        size += len(row.body)
        if size >= max_bytes:
            break
    return rows, size


def stored(number: int, body: bytes, crc: int | None) -> Stored:
    """What a message says of itself.

    Raises:
        CorruptError: It is not as it was written.
    """
    if not _is_whole(body, crc):
        raise CorruptError(f"a message of room number {number} is not as it was written")
    message = types_pb2.Message.FromString(body)
    time = message.create_time
    return Stored(
        message.sequence,
        time.seconds * 1_000_000 + time.nanos // 1_000,
        message.content,
        message.content_type,
    )


def _is_whole(body: object, crc: int | None) -> bool:
    return type(body) is bytes and (crc is None or zlib.crc32(body) == crc)
