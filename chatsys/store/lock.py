"""One process per data directory: two writers would each believe in their own head."""

import fcntl
import os
from pathlib import Path

from chatsys import private

FILE = "lock"


class DataDirectoryInUseError(Exception):
    """Another process holds the directory; the message says which."""


class DirectoryLock:
    """An advisory lock on a data directory, held until ``release`` or the end of the process.

    Args:
        directory: Exists.
        owner: What others are told about the holder, one line.
    """

    def __init__(self, directory: Path, owner: str) -> None:
        self._fd = private.open_or_make(directory / FILE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 200).decode(errors="replace").strip() or "another process"
            os.close(self._fd)
            raise DataDirectoryInUseError(holder) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{owner}\n".encode(), 0)

    def release(self) -> None:
        """Lets the next one in. The file stays, so that nobody locks a name that is gone."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
