"""Knows an older copy of a log from the log itself, so that positions of what it has lost are not believed.

Every opening is a life with a name. The name is in the log, and in a file beside it, and the log also knows the inode
and the change time of that file, which no copying preserves. So a log is the one that was here last if all three
agree; else it was brought back from somewhere, and gets a new epoch. A backup says of itself that it is one.

What cannot be told from inside: a whole disk or machine that was set back (a snapshot), and a copy of the database
file alone, taken and put back within one life. A directory that was merely copied to another place, with nothing
lost, gets a new epoch, too: clients then start from their cursors, and lose nothing.
"""

import os
import secrets
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from chatsys import private
from chatsys.store.schema import transaction

FILE = "life"
COPY = "copy"
"""Key in the log of a backup: it was copied, and must get a new epoch."""

_LIFE, _NEXT = "life", "next_life"


def begin(connection: sqlite3.Connection, directory: Path) -> bool:
    """Begins a life; durable when it returns.

    Args:
        connection: The writing one, idle.
        directory: Where the log is, locked.

    Returns:
        Whether the log is another one than was here last, so that it was given a new epoch.

    Raises:
        OSError: The directory cannot be written.
        sqlite3.Error: The same of the log.
    """
    file = directory / FILE
    brought = not _is_same(connection, file)
    name = secrets.token_hex(8)
    # Which of two names is in the file after a power cut nobody knows: the log accepts both until this is done.
    changes = {_NEXT: name}
    if brought:
        changes["epoch"] = secrets.token_hex(8)
    _put(connection, changes, drop=(COPY,))
    _write(file, name)
    _put(connection, {_LIFE: f"{name} {_fingerprint(file)}"}, drop=(_NEXT,))
    return brought


def disown(connection: sqlite3.Connection) -> None:
    """Makes a log say of itself that it is a copy."""
    _put(connection, {COPY: 1}, drop=(_LIFE, _NEXT))


def _is_same(connection: sqlite3.Connection, file: Path) -> bool:
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if COPY in meta:
        return False
    if _LIFE not in meta:
        return True  # new, or of a format that did not know of lives
    try:
        name = file.read_text()
        return meta[_LIFE] == f"{name} {_fingerprint(file)}" or meta.get(_NEXT) == name
    except (OSError, UnicodeDecodeError):
        return False


def _fingerprint(file: Path) -> str:
    status = file.stat()
    return f"{status.st_ino} {status.st_ctime_ns}"


def _write(file: Path, name: str) -> None:
    building = file.with_name(f"{FILE}.new")
    building.unlink(missing_ok=True)
    with os.fdopen(private.make(building), "w") as out:
        out.write(name)
        out.flush()
        os.fsync(out.fileno())
    building.rename(file)
    directory = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _put(connection: sqlite3.Connection, changes: Mapping[str, str | int], drop: tuple[str, ...]) -> None:
    with transaction(connection):
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", changes.items())
        connection.executemany("DELETE FROM meta WHERE key = ?", [(key,) for key in drop])
