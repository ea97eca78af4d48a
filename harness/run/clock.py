"""The scenario clock: real time, scaled time, or time that jumps over waiting in which nothing can happen.

At `max` the clock runs at real rate while anything is in flight or a fault is active, and jumps to the next due
time only when every lane waits on it. Equal due times go in the order of the file. So nothing that the script
orders comes in another order than at real speed; only empty waiting is left out.

Invariants:
* `_busy` counts the lanes that do something, and whatever else holds the clock. Only at 0 does time jump.
* A lane that is woken counts as busy from that moment, not from when it gets to run: else a second lane could
  jump past what the first is about to do. For the same reason the last lane of a `parallel` hands its count on
  to the lane that goes on behind it.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

Rank = tuple[int, ...]


class _Sleeper(NamedTuple):
    due: int
    rank: Rank
    """Place of its lane in the file."""
    order: int
    """Of asking; what two tasks of one lane go by."""
    woken: asyncio.Future[None]


class Lanes:
    """The lanes of one `parallel`, which the lane that began them waits for."""

    def __init__(self, clock: Clock, count: int, rank: Rank) -> None:
        self._clock = clock
        self._left = count
        self._rank = rank

    def begin(self, number: int) -> None:
        """Say in the task of a lane which one it is, counted from 0 in file order."""
        self._clock.rank.set((*self._rank, number))

    def end(self) -> None:
        """One lane is done. The last one's turn passes to whoever waits for all of them."""
        self._left -= 1
        if self._left:
            self._clock.leave()


class Clock:
    """Scenario time in ns since the clock was made.

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
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since: int | None = None
        self.rank: ContextVar[Rank] = ContextVar("rank", default=())
        """Which lane the running task belongs to."""
        self.paused_ns = 0
        """Scenario time in which every lane waited, and nothing else was going on."""

    def now(self) -> int:
        """Return the scenario time."""
        return int((self._monotonic() - self._start) * (self._speed or 1.0)) + self._skipped

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Hold the clock at real rate: something was started and is not finished, or a fault is active."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """One more does something; `leave` ends it."""
        if not self._busy and self._idle_since is not None:
            self.paused_ns += self.now() - self._idle_since
            self._idle_since = None
        self._busy += 1

    def leave(self) -> None:
        """One less does something; at `max` time may jump now."""
        self._busy -= 1
        if not self._busy:
            self._idle_since = self.now()
            if self._speed is None and self._sleepers:
                # Not here: the lane that asked last would find its time come, and go on before those woken first.
                asyncio.get_running_loop().call_soon(self._jump)

    def fork(self, count: int) -> Lanes:
        """Let the calling lane wait for `count` lanes, at least one; its own turn becomes that of the first."""
        for _ in range(count - 1):
            self.enter()
        return Lanes(self, count, self.rank.get())

    async def pause(self, duration_ns: int) -> None:
        """Let this much scenario time pass in the calling lane."""
        await self.pause_until(self.now() + duration_ns)

    async def pause_until(self, due_ns: int) -> None:
        """Wait in the calling lane until the scenario clock shows `due_ns`."""
        if due_ns <= self.now():
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sleeper = _Sleeper(due_ns, self.rank.get(), next(self._order), woken)
        bisect.insort(self._sleepers, sleeper)
        self._set_timer()
        self.leave()
        try:
            await woken
        finally:
            self._wake(sleeper)  # when it was cancelled instead

    def until_next_s(self) -> float:
        """Return real seconds until the earliest moment that somebody waits for; 0 when nobody waits."""
        if not self._sleepers:
            return 0.0
        return max(0, self._sleepers[0].due - self.now()) / 1e9 / (self._speed or 1.0)

    def _jump(self) -> None:
        if not self._busy and self._sleepers:
            self._skipped += max(0, self._sleepers[0].due - self.now())
            self._wake_due()

    def _wake_due(self) -> None:
        """Wake everybody whose time has come, in order; both at real speed and after a jump."""
        while self._sleepers and self._sleepers[0].due <= self.now():
            self._wake(self._sleepers[0])
        self._set_timer()

    def _wake(self, sleeper: _Sleeper) -> None:
        if sleeper in self._sleepers:
            self._sleepers.remove(sleeper)
            self.enter()
        if not sleeper.woken.done():
            sleeper.woken.set_result(None)

    def _set_timer(self) -> None:
        """One timer for all: two would fire in an order of their own when they are due at once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sleepers:
            left = max(0, self._sleepers[0].due - self.now()) / 1e9 / (self._speed or 1.0)
            self._timer = asyncio.get_running_loop().call_later(left, self._wake_due)
