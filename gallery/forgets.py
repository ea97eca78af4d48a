"""Servers that forget an acknowledged message when they start again: one after a kill, one after a good end.

Each takes it out of the log before it opens it, as if it had never reached the disk.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from chatsys.store.schema import FILE
from gallery.broken import Broken


def _forget(data: Path, which: str) -> None:
    with closing(sqlite3.connect(data / FILE)) as log, log:
        log.execute(
            "DELETE FROM entry WHERE position ="
            f" (SELECT {which}(position) FROM entry WHERE client_message_id IS NOT NULL)"
        )


def _after_a_kill(data: Path, ended_well: bool) -> None:
    if not ended_well:
        _forget(data, "min")


def _after_a_good_end(data: Path, ended_well: bool) -> None:
    if ended_well:
        _forget(data, "max")


FORGETS_WHEN_KILLED = Broken(
    name="forgets-when-killed",
    does="has lost its first message when it comes back after a kill; everybody has read that long ago",
    before=_after_a_kill,
    kinds=frozenset({"lost"}),
    scenarios=("crash",),
)
FORGETS_WHEN_STOPPED = Broken(
    name="forgets-when-stopped",
    does="has lost its last message when it comes back after a restart in good order; one has not read it yet",
    before=_after_a_good_end,
    kinds=frozenset({"lost", "undelivered"}),
    scenarios=("graceful_restart",),
)
