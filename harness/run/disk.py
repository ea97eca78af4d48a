"""Faults on the server's disk, without root, and what they cannot do.

* A full disk is a limit of the kernel on the size of files (RLIMIT_FSIZE, by prlimit): no process of the server can
  make a file longer, or write into one. Where a full disk says ENOSPC, it hears EFBIG; for most programs, an error in
  writing like any other. Python, and everything the keeper starts, ignores the signal that comes with it. What the
  server says on its standard error goes through a pipe meanwhile, so that its log is complete.
* A read-only directory is a matter of permissions: files that are open for writing already stay so. Root may write
  whatever the permissions are (it has CAP_DAC_OVERRIDE, unless that was taken away), so nobody can play this as root.
  Permissions that change are a change of the files: chatsys, started on such a log later, takes it for one that was
  brought from elsewhere, and gives it a new epoch.
"""

from __future__ import annotations

import os
import resource
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.keeper import linux
from harness.model.disk import DiskFault, DiskFull
from harness.run.means import NotDoneError
from harness.run.server import Server

_WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def obstacle(verb: str) -> str:
    """Return why a disk fault cannot be played here; nothing when it can."""
    if verb == "disk_full" and sys.platform != "linux":
        return "it takes prlimit, which only Linux has"
    if verb == "read_only" and linux.overrides_permissions(os.getpid()):
        return "root may write anywhere, so it takes another user, or root without CAP_DAC_OVERRIDE"
    return ""


class Disk:
    """Implements `harness.run.means.Means` for disk faults.

    Args:
        server: whose disk it is.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._full: set[str] = set()
        """Ids of faults."""
        self._before: dict[int, tuple[int, int]] = {}
        """Pid -> its limit before the first of them."""
        self._modes: dict[str, dict[Path, int]] = {}
        """Fault -> what was writable, and how."""
        server.on_spawn = self._born

    async def begin(self, action: DiskFault, within_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - as all of its kind
        """Begin it.

        Raises:
            NotDoneError: the system does not allow it.
        """
        if (why := obstacle(action.verb)) != "":
            raise NotDoneError(f"`{action.verb}` is not possible here: {why}")
        if isinstance(action, DiskFull):
            self._full.add(action.id)
            return {"processes": self._limit()}
        modes = self._modes[action.id] = {}
        root = self._server.data
        # From the leaves up: a directory that is read-only keeps nobody from changing what is in it.
        for path in (*root.rglob("*"), root):
            mode = path.stat().st_mode
            if mode & _WRITABLE:
                modes[path] = mode
                path.chmod(mode & ~_WRITABLE)
        return {"files": len(modes)}

    async def end(self, fault: str, targets: Sequence[str], within_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - as all of its kind
        """End it.

        Raises:
            NotDoneError: the system does not allow it.
        """
        if fault in self._modes:
            modes = self._modes.pop(fault)
            for path, mode in modes.items():
                if path.exists():
                    path.chmod(mode)
            return {"files": len(modes)}
        self._full.discard(fault)
        if self._full:
            return {"processes": 0}
        before, self._before = self._before, {}
        return {"processes": sum(_set(pid, limit) for pid, limit in before.items())}

    def _born(self) -> None:
        if self._full:
            self._limit()

    def _limit(self) -> int:
        """Let no process of the server write to files; return how many there are."""
        pid = self._server.pid
        if pid is None:
            return 0  # its next life begins with the limit
        count = 0
        for each in (pid, *linux.descendants(pid)):
            if each not in self._before:
                before = _get(each)
                if before is None:
                    continue
                self._before[each] = before
            count += _set(each, (0, self._before[each][1]))
        return count


def _get(pid: int) -> tuple[int, int] | None:
    try:
        return resource.prlimit(pid, resource.RLIMIT_FSIZE)
    except ProcessLookupError:
        return None


def _set(pid: int, limit: tuple[int, int]) -> int:
    """Set a limit and see that it holds; returns 1, or 0 when the process is gone."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)
        holds = resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] == limit[0]
    except ProcessLookupError:
        return 0
    except PermissionError:
        raise NotDoneError("the limits of the server's processes are not ours to change") from None
    if not holds:
        raise NotDoneError(f"the limit of process {pid} did not change")
    return 1
