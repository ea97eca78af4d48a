"""What earlier runs left on this machine: processes that no keeper owns any more, scratch directories.

A run leaves nothing behind, whoever of it is killed; but a keeper that is itself killed, or a machine that was
switched off, may. Only processes that this user may look into are seen.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.keeper import linux
from harness.keeper.launch import RUN_VARIABLE
from harness.model.checkup import Finding

_KEEPER = "harness.keeper.main"
_SHOWN = 4


class Seen(NamedTuple):
    """A process of some run."""

    pid: int
    run: str
    command: str
    leads: bool
    """Whether it leads a session, as a keeper does; its forks have its command line, but do not."""

    @property
    def is_keeper(self) -> bool:
        """Whether it is the one that owns all others of its run."""
        return self.leads and _KEEPER in self.command.split()


def seen() -> list[Seen]:
    """Return every living process that carries the mark of a run."""
    mark = f"{RUN_VARIABLE}=".encode()
    found = []
    for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*")):
        run = next((pair for pair in linux.environment(pid) if pair.startswith(mark)), None)
        if run is None or pid == os.getpid():
            continue
        try:
            leads = os.getsid(pid) == pid
        except ProcessLookupError:  # it has ended meanwhile
            continue
        found.append(
            Seen(pid, run.removeprefix(mark).decode(errors="replace"), linux.command_line(pid), leads)
        )
    return found


def orphans(found: Iterable[Seen]) -> list[Seen]:
    """Return the processes of runs whose keeper is gone."""
    everybody = list(found)
    kept = {process.run for process in everybody if process.is_keeper}
    return [process for process in everybody if process.run not in kept]


def processes(found: Sequence[Seen]) -> Finding:
    """Say which processes of earlier runs are still there."""
    lost = orphans(found)
    if lost:
        named = ", ".join(f"pid {one.pid} ({one.command[:60]})" for one in lost[:_SHOWN])
        more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
        said = f"of runs whose keeper is gone: {named}{more}"
        return Finding("left running", "bad", said, f"kill -9 {' '.join(str(one.pid) for one in lost)}")
    going_on = len({process.run for process in found})
    if going_on:
        return Finding(
            "left running", "ok", f"nothing; {going_on} {'run goes' if going_on == 1 else 'runs go'} on"
        )
    return Finding("left running", "ok", "nothing")


def directories(root: Path | None = None, *, runs_go_on: bool) -> Finding:
    """Say which scratch directories of earlier runs are still there.

    Args:
        root: where they are made; the system's folder for such things when it is None.
        runs_go_on: whether some may be in use; then none is called left, because nobody can tell whose it is.
    """
    root = Path(tempfile.gettempdir()) if root is None else root
    try:
        found = sorted(
            path for path in root.glob("chatsim-*") if path.is_dir() and path.stat().st_uid == os.getuid()
        )
    except OSError as fault:
        return Finding("left on disk", "note", f"{root} cannot be looked into: {fault.strerror}")
    if not found:
        return Finding("left on disk", "ok", "nothing")
    if runs_go_on:
        return Finding("left on disk", "ok", f"{len(found)} in {root}; runs go on, and may use them")
    named = ", ".join(path.name for path in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Finding("left on disk", "note", f"in {root}: {named}{more}", " ".join(["rm -r", *map(str, found)]))
