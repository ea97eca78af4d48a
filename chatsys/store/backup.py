"""Copies a log while a server may be writing it, and puts a copy in the place of a log.

Invariants: a copy is whole and on the disk, or not there; what it holds was committed, and is one state; it says of
itself that it is a copy, so that whoever serves it gives it a new epoch and clients notice.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from chatsys import private
from chatsys.store import damage, life, schema
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
        CopyError: There is no log, there is one already or something of one, another copy is on its way there, the
            copy has faults, or the disk refuses.
    """
    file, place = source / schema.FILE, target / schema.FILE
    if not file.exists():
        raise CopyError(f"there is no log in {source}; name a data directory")
    building = target / f"{schema.FILE}.copy"
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(target):
            if place.exists():
                raise CopyError(
                    f"there is a log in {target} already; move it away, or name another directory"
                )
            for stray in schema.strays(place):
                raise CopyError(f"{stray} belongs to a log that is not beside it; move this file away, too")
            try:
                _copy(file, building)
                found = check(building)
                if found.faults:
                    raise CopyError(
                        f"the log in {source} is damaged: {found.faults[0]}; see `chatsys check {source}`"
                    )
                _sync(building)
                damage.clear(target)  # it was about the log that was here before
                building.rename(place)
                _sync(target)
            finally:
                for leftover in target.glob(f"{building.name}*"):
                    leftover.unlink()
    except (OSError, sqlite3.Error) as error:
        raise CopyError(f"the log in {source} could not be copied to {target}: {error}") from error
    return found


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keeps another copy out of the directory: two would write one file, and call it whole.

    Raises:
        CopyError: One is under way.
    """
    fd = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CopyError(f"another copy to {target} is under way; wait for it") from None
    finally:
        os.close(fd)


def _copy(file: Path, building: Path) -> None:
    for leftover in building.parent.glob(f"{building.name}*"):  # of a copy that was killed
        leftover.unlink()
    os.close(private.make(building))
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
