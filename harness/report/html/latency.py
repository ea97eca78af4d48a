"""How long answers and deliveries took, over the time of a run.

A fold over the operations of a run, in their order; pure, and bounded whatever the history: times are counted in
buckets, ten to each power of ten, so a percentile is right to a quarter of itself.

* `answer`: from the first try of a send to the server's ok.
* `delivery`: to the first delivery to a client, from the latest of: the send was answered, the receiver was ready (it
  connected, or asked), a fault that touched it or the server ended. What came before all these took no time: 0.
  What nobody acknowledged is not measured.
"""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from harness.model.history import FENCE, HARNESS, SERVER, Op
from harness.report.lives import Lives
from harness.report.words import message_name

#: Fewer deliveries than this make no plot.
ENOUGH = 100
#: Equal parts of the run.
PARTS = 100
#: Upper bounds of the buckets in ns, 0.1 ms to 100 s; what is longer is in one more.
BOUNDS: tuple[int, ...] = tuple(round(10 ** (5 + step / 10)) for step in range(61))


class Part(NamedTuple):
    """One part of the run."""

    counts: tuple[tuple[int, int], ...]
    """(bucket, how many) of the buckets that are not empty, rising."""


class Latency(NamedTuple):
    """What one kind of waiting was like."""

    name: str
    total: int
    parts: tuple[Part, ...]
    """By when the waiting ended."""


class Latencies:
    """Collects times. Feed it every operation once, in order, its values merged with those of its invocation."""

    def __init__(self, lives: Lives) -> None:
        """Take who knows since when a party is connected, and when it was last struck; fed before this."""
        self._lives = lives
        self._sent: dict[str, int] = {}
        self._answered: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[str, int, int]]] = {}
        """Deliveries of messages that nobody has acknowledged so far: client, when, since when it could come."""
        self._got: set[tuple[str, str]] = set()
        self._asked: dict[int, int] = {}
        self._answers = (array("q"), array("q"))
        self._deliveries = (array("q"), array("q"))

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        if op.process in (HARNESS, FENCE):
            return
        match op.f, op.type:
            case (("connect" | "poll"), "invoke") if op.op is not None:
                self._asked[op.op] = op.time
            case "send", "invoke":
                self._sent.setdefault(message_name(op.value), op.time)
            case "send", "ok":
                self._answer(message_name(op.value), op.time)
            case "deliver", "ok":
                self._deliver(message_name(op.value), op)
            case _:
                pass

    def _answer(self, name: str, now: int) -> None:
        if name in self._answered:
            return
        self._answered[name] = now
        _note(self._answers, now, now - self._sent.get(name, now))
        for _, came, ready in self._waiting.pop(name, ()):
            _note(self._deliveries, came, came - max(now, ready))

    def _deliver(self, name: str, op: Op) -> None:
        if (op.client, name) in self._got:
            return
        self._got.add((op.client, name))
        ready = max(
            self._lives.since(op.process),
            self._lives.healed(op.client),
            self._lives.healed(SERVER),
            self._asked.get(op.value.get("via") or -1, 0),
        )
        if (answered := self._answered.get(name)) is None:
            self._waiting.setdefault(name, []).append((op.client, op.time, ready))
        else:
            _note(self._deliveries, op.time, op.time - max(answered, ready))

    def result(self, end_ns: int) -> tuple[Latency, ...]:
        """Return the times of a run that ended then; none when there were too few."""
        if len(self._deliveries[0]) < ENOUGH:
            return ()
        return (
            _counted("answer", *self._answers, end_ns),
            _counted("delivery", *self._deliveries, end_ns),
        )


def bucket(ns: int) -> int:
    """Return the place of a time among `BOUNDS`: that of the lowest bound that is not below it."""
    return bisect.bisect_left(BOUNDS, ns)


def _note(kind: tuple[array[int], array[int]], when: int, took: int) -> None:
    kind[0].append(when)
    kind[1].append(max(0, took))


def _counted(name: str, when: Sequence[int], took: Sequence[int], end_ns: int) -> Latency:
    parts: list[dict[int, int]] = [{} for _ in range(PARTS)]
    for moment, ns in zip(when, took, strict=True):
        counts = parts[min(PARTS - 1, moment * PARTS // max(end_ns, 1))]
        place = bucket(ns)
        counts[place] = counts.get(place, 0) + 1
    return Latency(name, len(when), tuple(Part(tuple(sorted(counts.items()))) for counts in parts))
