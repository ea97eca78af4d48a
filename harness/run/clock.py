"""The scenario clock: real time, scaled time, or time that jumps over waiting in which nothing can happen.

At `max` the clock runs at real rate while anything is in flight, and jumps to the next due time only when every
lane waits on it. Equal due times go in the order in which the lanes asked. So nothing that the script orders
comes in another order than at real speed; only empty waiting is left out.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Due time, order of asking, and what to settle when the time has come.
_Sleeper = tuple[int, int, asyncio.Future[None]]


class Clock:
    """Scenario time in ns since the run began.

    Args:
        speed: scenario seconds per real second; None for `max`.
        monotonic: real time, ns.
    """

    def __init__(self, speed: float | None, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._start = monotonic()
        self._skipped = 0
        self._busy = 1  # the script's own lane
        self._order = itertools.count()
        self._sleepers: list[_Sleeper] = []
        self.paused_ns = 0
        """Scenario time spent in pauses that the script asked for."""

    def now(self) -> int:
        """Return the scenario time."""
        return int((self._monotonic() - self._start) * (self._speed or 1.0)) + self._skipped

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Hold the clock at real rate: something was started and is not finished, or a fault is active."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._skip()

    async def pause(self, duration_ns: int) -> None:
        """Let this much scenario time pass in the calling lane."""
        await self.pause_until(self.now() + duration_ns)

    async def pause_until(self, due_ns: int) -> None:
        """Wait in the calling lane until the scenario clock shows `due_ns`."""
        begun = self.now()
        if due_ns <= begun:
            return
        loop = asyncio.get_running_loop()
        sleeper = (due_ns, next(self._order), loop.create_future())
        heapq.heappush(self._sleepers, sleeper)
        timer = loop.call_later((due_ns - begun) / 1e9 / (self._speed or 1.0), self._wake, sleeper)
        self._busy -= 1
        try:
            self._skip()
            await sleeper[2]
        finally:
            timer.cancel()
            self._wake(sleeper)  # when it was cancelled instead
            self.paused_ns += due_ns - begun

    def _skip(self) -> None:
        if self._speed is None and not self._busy and self._sleepers:
            sleeper = self._sleepers[0]
            self._skipped += max(0, sleeper[0] - self.now())
            self._wake(sleeper)

    def _wake(self, sleeper: _Sleeper) -> None:
        # The lane counts as busy from here on, not from when it gets to run: else a second lane could skip
        # past what this one is about to do.
        if sleeper in self._sleepers:
            self._sleepers.remove(sleeper)
            heapq.heapify(self._sleepers)
            self._busy += 1
        if not sleeper[2].done():
            sleeper[2].set_result(None)
