"""The three Linux facilities the keeper stands on: subreaper, parent-death signal, /proc.

Elsewhere than on Linux the calls do nothing and return False: chatsim then still cleans up after an orderly
end, but cannot promise it after `kill -9`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CAP_DAC_OVERRIDE = 1

# Loaded here, once: each loading makes a new class, and in a forked child that costs memory shared until then.
_LIBC = ctypes.CDLL(None)


def _prctl(option: int, value: int) -> bool:
    if sys.platform != "linux":
        return False
    return bool(_LIBC.prctl(option, value, 0, 0, 0) == 0)


def become_subreaper() -> bool:
    """Let orphans among our descendants become our children. Returns whether it worked."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(signal_number: int) -> bool:
    """Get this signal when the thread that forked us ends. Cleared by fork, kept over exec."""
    return _prctl(PR_SET_PDEATHSIG, signal_number)


def _parents() -> dict[int, int]:
    """Return pid -> parent pid of every process that can be seen."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                stat = file.read()
        except OSError:  # it ended while we looked
            continue
        # The command in parentheses may itself hold spaces and parentheses: fields begin after the last one.
        fields = stat[stat.rindex(b")") + 2 :].split()
        parents[int(entry)] = int(fields[1])
    return parents


#: States of a process that a signal has stopped.
STOPPED = ("T",)


def state(pid: int) -> str:
    """Return the letter of a process's state as in /proc, such as `S` or `T`; empty when it cannot be read."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return ""
    return stat[stat.rindex(b")") + 2 :].split()[0].decode()


def descendants(root: int) -> list[int]:
    """Return all living and unreaped descendants of `root`, parents before children."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = list(children.get(root, ()))
    while queue:
        pid = queue.pop(0)
        found.append(pid)
        queue.extend(children.get(pid, ()))
    return found


def environment(pid: int) -> Iterator[bytes]:
    """Yield the NAME=value pairs a process was exec'd with; nothing when it cannot be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            yield from file.read().split(b"\0")
    except OSError:
        return


def command_line(pid: int) -> str:
    """Return how a process was called, for a person to read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def catches(pid: int, number: int) -> bool:
    """Return whether a process has a handler of its own for a signal."""
    return _bit(pid, "SigCgt:", number - 1)


def overrides_permissions(pid: int) -> bool:
    """Return whether a process may write whatever the permissions of files are: root mostly may."""
    return _bit(pid, "CapEff:", CAP_DAC_OVERRIDE)


def _bit(pid: int, field: str, number: int) -> bool:
    """Return one bit of a mask in the status of a process; False where there is none to read."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            mask = next(line for line in file if line.startswith(field))
    except (OSError, StopIteration):
        return False
    return bool(int(mask.split()[1], 16) >> number & 1)


def standing(pid: int) -> Iterator[str]:
    """Yield where each thread of a process stands in the kernel, as far as one may know."""
    try:
        threads = sorted(os.listdir(f"/proc/{pid}/task"), key=int)
    except OSError:
        return
    for thread in threads:
        parts = []
        for name in ("comm", "wchan", "stack"):
            try:
                with open(f"/proc/{pid}/task/{thread}/{name}", encoding="utf-8", errors="replace") as file:
                    parts.append(" ".join(file.read().split()))
            except OSError:  # not ours to read, or gone
                continue
        yield f"thread {thread} {state(int(thread))}: {' · '.join(part for part in parts if part)}"
