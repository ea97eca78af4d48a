"""Signals to a process of the run, and what shows that they took effect."""

from __future__ import annotations

import asyncio
import signal
import time

from harness.keeper import linux
from harness.keeper.handle import Child

#: The pace of looking into /proc: nothing tells us when somebody else's child stops or goes on.
_PACE_S = 0.002


async def freeze(child: Child, within_s: float) -> bool:
    """Stop a process; returns whether it stands still."""
    await child.signal(signal.SIGSTOP)
    return await _until(child, within_s, stopped=True)


async def thaw(child: Child, within_s: float) -> bool:
    """Let a stopped process go on; returns whether it does."""
    await child.signal(signal.SIGCONT)
    return await _until(child, within_s, stopped=False)


async def end(child: Child, number: int, within_s: float) -> bool:
    """End a process by a signal; returns whether it has ended."""
    await child.signal(number)
    return await child.wait(within_s) is not None


async def _until(child: Child, within_s: float, *, stopped: bool) -> bool:
    deadline = time.monotonic() + within_s
    while child.alive:
        state = linux.state(child.pid)
        if not state or (state in linux.STOPPED) == stopped:  # no /proc, no proof: the signal was sent
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_PACE_S)  # nothing but /proc tells that a process was stopped, or goes on
    return False
