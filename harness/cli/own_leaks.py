"""What chatsim itself must not leave open or behind when all rows have been played: that is an error of chatsim."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from harness.keeper.descriptors import open_in


def opened() -> frozenset[str]:
    """Return what this process has open now: sockets, pipes and files, each by what it leads to."""
    return frozenset(open_in(os.getpid()))


def left(before: Collection[str], scratch: Path) -> Iterator[str]:
    """Yield what has been opened since and is open still, and the scratch directory if it is there.

    Args:
        before: what was `opened` before the first row.
        scratch: of the keeper; `.` when it never said where that is.
    """
    yield from sorted(opened().difference(before))
    if scratch != Path() and scratch.exists():
        yield str(scratch)
