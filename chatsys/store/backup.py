"""Copies a log while a server may be writing it, and puts a copy in the place of a log.

Invariants: a copy is whole and on the disk, or not there; what it holds was committed, and is one state; it says of
itself that it is a copy, so that whoever serves it gives it a new epoch and clients notice.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from chatsys.store import life, schema
from chatsys.store.check import Checked, check


class CopyError(Exception):
    """No copy was made; the message is a whole sentence."""


def copy(source: Path, target: Path) -> Checked:
    """Copies the log of one data directory into another, made if needed, and checks the copy.

    Args:
        source: A data directory; its server may run.
        target: A directory that holds no log.

    Returns:
        What the check of the copy found: no faults.

    Raises:
        CopyError: There is no log, there is one already, the copy has faults, or the disk refuses.
    """
    file, place = source / schema.FILE, target / schema.FILE
    if not file.exists():
        raise CopyError(f"there is no log in {source}; name a data directory")
    if place.exists():
        raise CopyError(f"there is a log in {target} already; move it away, or name another directory")
    building = target / f"{schema.FILE}.copy"
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        building.unlink(missing_ok=True)
        _copy(file, building)
        found = check(building)
        if found.faults:
            raise CopyError(
                f"the log in {source} is damaged: {found.faults[0]}; see `chatsys check {source}`"
            )
        _sync(building)
        building.rename(place)
        _sync(target)
    except (OSError, sqlite3.Error) as error:
        raise CopyError(f"the log in {source} could not be copied to {target}: {error}") from error
    finally:
        for leftover in target.glob(f"{building.name}*"):
            leftover.unlink()
    return found


def _copy(file: Path, building: Path) -> None:
    # All pages in one step: a step is one state, and one that was interrupted by a write begins anew.
    with (
        closing(schema.open_reader(file)) as source,
        closing(sqlite3.connect(building, isolation_level=None)) as to,
    ):
        if schema.version(source) == 0:
            raise sqlite3.DatabaseError("it is no log of chatsys")
        source.backup(to)
        to.execute("PRAGMA journal_mode = DELETE")  # one file, whatever happens to it on its way
        life.disown(to)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
