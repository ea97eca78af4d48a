"""What processes hold open, read from /proc: connections whose other end is gone, and files.

Nothing is counted that a sound program may hold: of connections only those whose other end has closed (CLOSE_WAIT:
the program was told and did not close its own), of files only how often one of them is open.
"""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_CLOSE_WAIT = "08"
_SOCKET = re.compile(r"socket:\[(\d+)\]")
DELETED = "deleted files"
"""All of those that have no name any more."""


class Held(NamedTuple):
    """What some processes hold between them."""

    gone: int = 0
    """TCP connections whose other end has closed."""
    file: str = ""
    """The file that is open most often; empty when none is."""
    times: int = 0
    """How often."""


def held(pids: Iterable[int], *, few: int = 0) -> Held:
    """Return what living processes hold; nothing where it cannot be read, as elsewhere than on Linux.

    Args:
        pids: of the processes.
        few: when they have no more sockets than this between them, none is asked whether its other end has closed:
            the kernel goes through all of its connections for that, which takes milliseconds however few there are.
    """
    sockets: dict[int, list[str]] = {}
    files: Counter[str] = Counter()
    for pid in pids:
        for target, mode in _descriptors(pid):
            if (found := _SOCKET.fullmatch(target)) is not None:
                sockets.setdefault(pid, []).append(found[1])
            elif stat.S_ISREG(mode):
                files[DELETED if target.endswith(" (deleted)") else target] += 1
    gone = 0
    if sum(map(len, sockets.values())) > few:
        for pid, inodes in sockets.items():
            closed = set(_closed(pid))
            gone += sum(inode in closed for inode in inodes)
    file, times = max(files.items(), key=lambda item: item[1], default=("", 0))
    return Held(gone, file, times)


def open_in(pid: int) -> Iterator[str]:
    """Yield what each socket, pipe and regular file of a process leads to; two of one name are told apart nowhere."""
    for target, mode in _descriptors(pid):
        if stat.S_ISREG(mode) or stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode):
            yield target


def _descriptors(pid: int) -> Iterator[tuple[str, int]]:
    """Yield (what it leads to, mode) of each descriptor of a process."""
    try:
        paths = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return
    for path in paths:
        try:
            yield str(path.readlink()), path.stat().st_mode
        except OSError:  # closed meanwhile
            continue


def _closed(pid: int) -> Iterator[str]:
    """Yield the inode of each TCP socket in the network of a process whose other end has closed."""
    for table in ("tcp", "tcp6"):
        try:
            with Path(f"/proc/{pid}/net/{table}").open(encoding="ascii") as lines:
                next(lines, "")
                for fields in map(str.split, lines):
                    if fields[3] == _CLOSE_WAIT:
                        yield fields[9]
        except OSError:
            continue
