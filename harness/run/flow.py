"""One direction of a forwarded connection, and the weather in which its bytes travel.

Invariants:
* What comes out is what went in, in its order: the end of a connection comes behind the bytes before it, and is held
  with them. Only what is muted gets lost.
* In fair weather nothing is kept: what comes is written at once.
* What the sink cannot take yet, and more than `AHEAD` bytes under way, stop the source from being read.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Literal, Protocol

#: So many bytes may be under way in slow weather before the source must wait.
AHEAD = 1 << 20
#: A narrow way passes pieces of what it takes in this time, seconds, and no smaller ones than `PIECE` bytes.
GRAIN_S = 0.02
PIECE = 256

Ending = Literal["eof", "close", "reset"]


class Weather:
    """What one direction of one client's network is like now."""

    def __init__(self, chance: random.Random) -> None:
        self.held = False
        self.latency_s = 0.0
        self.jitter_s = 0.0
        self.rate: float | None = None
        """Bytes a second."""
        self._chance = chance

    @property
    def swift(self) -> bool:
        """Whether bytes that are not held pass at once."""
        return not self.latency_s and not self.jitter_s and self.rate is None

    def delay(self) -> float:
        """Return how long the next bytes take, seconds."""
        return max(0.0, self.latency_s + self.jitter_s * self._chance.uniform(-1.0, 1.0))


class End(Protocol):
    """One end of a connection, as a flow sees it."""

    def take(self, item: bytes | Ending) -> None:
        """Send bytes, or come to an end."""
        ...

    def read(self, go_on: bool) -> None:  # noqa: FBT001 - it is what is asked
        """Go on reading what comes, or leave it where it is."""
        ...


class Flow:
    """Carries what one end brings to the other.

    Args:
        weather: in which it travels; shared by all connections of a client.
        source: the end whose reading is stopped and continued.
        sink: the end that takes.
    """

    def __init__(self, weather: Weather, source: End, sink: End) -> None:
        self.muted = False
        """Whether everything gets lost."""
        self._weather = weather
        self._source = source
        self._sink = sink
        self._queue: deque[tuple[float, bytes | Ending]] = deque()
        self._bytes = 0
        self._due = 0.0
        self._free = 0.0
        self._sink_full = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, item: bytes | Ending) -> None:
        """Carry on bytes, or the news that the source has come to an end."""
        weather = self._weather
        if self.muted:
            return
        if not self._queue and not weather.held and weather.swift:
            self._sink.take(item)
            return
        if isinstance(item, bytes) and weather.rate is not None:
            size = max(PIECE, int(weather.rate * GRAIN_S))
            for start in range(0, len(item), size):
                self._enqueue(item[start : start + size])
        else:
            self._enqueue(item)
        self._deliver()

    def sink_full(self, full: bool) -> None:  # noqa: FBT001 - it is what is told
        """Take note whether the sink can take more."""
        self._sink_full = full
        self._throttle()

    def weather_changed(self) -> None:
        """Let go of what the weather held, hold on to what it holds now."""
        if self._weather.swift and not self._weather.held:
            self._queue = deque((0.0, item) for _, item in self._queue)
            self._due = self._free = 0.0
        self._deliver()

    def mute(self) -> None:
        """Lose what is under way, and everything from now on."""
        self.muted = True
        self._queue.clear()
        self._bytes = 0
        self._deliver()

    def _enqueue(self, item: bytes | Ending) -> None:
        now = asyncio.get_running_loop().time()
        weather = self._weather
        start = now
        if isinstance(item, bytes):
            self._bytes += len(item)
            if weather.rate is not None:
                start = self._free = max(self._free, now) + len(item) / weather.rate
        self._due = max(self._due, start + weather.delay())  # jitter must not turn the order round
        self._queue.append((self._due, item))

    def _deliver(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        while self._queue and not self._weather.held and self._queue[0][0] <= loop.time():
            item = self._queue.popleft()[1]
            if isinstance(item, bytes):
                self._bytes -= len(item)
            self._sink.take(item)
        if self._queue and not self._weather.held:
            self._timer = loop.call_at(self._queue[0][0], self._deliver)
        self._throttle()

    def _throttle(self) -> None:
        stop = self._sink_full or self._bytes > AHEAD or (self._weather.held and not self.muted)
        self._source.read(not stop)
