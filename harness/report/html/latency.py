"""How long answers and deliveries took, over the time of a run.

A fold over the operations of a run, in their order; pure. Times are counted in buckets, ten to each power of ten, so
a percentile is right to a quarter of itself, and what goes on the page is bounded.

* `answer`: from the first try of a send to the server's ok.
* `delivery`: as `limits` take it, see `model.latency`.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.model.history import FENCE, HARNESS, Op
from harness.model.latency import Stopwatch
from harness.model.plan import Plan

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


class Waiting(NamedTuple):
    """What one kind of waiting was like."""

    name: str
    total: int
    parts: tuple[Part, ...]
    """By when the waiting ended."""


class Latencies:
    """Collects times. Feed it every operation once, in order, its values merged with those of its invocation."""

    def __init__(self, plan: Plan) -> None:
        self._stopwatch = Stopwatch(plan)
        self._sent: dict[tuple[object, ...], int | None] = {}
        """When each message was first sent; None once that was answered."""
        self._answers: list[tuple[int, int]] = []

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        self._stopwatch.feed(op)
        if op.f != "send" or op.type not in ("invoke", "ok") or op.process in (HARNESS, FENCE):
            return
        message = (op.client, op.value.get("room"), op.value.get("client_message_id"))
        first = self._sent.setdefault(message, op.time)
        if op.type == "ok" and first is not None:
            self._answers.append((op.time, op.time - first))
            self._sent[message] = None

    def by_client(self) -> Mapping[str, Sequence[int]]:
        """Return how long deliveries took for each client, in ns."""
        found: dict[str, list[int]] = {}
        for client, _, took in self._stopwatch.times():
            found.setdefault(client, []).append(took)
        return found

    def answers(self) -> Sequence[int]:
        """Return how long answers took, in ns."""
        return [took for _, took in self._answers]

    def result(self, end_ns: int) -> tuple[Waiting, ...]:
        """Return the times of a run that ended then; none when there were too few."""
        deliveries = [(when, took) for _, when, took in self._stopwatch.times()]
        if len(deliveries) < ENOUGH:
            return ()
        return _counted("answer", self._answers, end_ns), _counted("delivery", deliveries, end_ns)


def bucket(ns: int) -> int:
    """Return the place of a time among `BOUNDS`: that of the lowest bound that is not below it."""
    return bisect.bisect_left(BOUNDS, ns)


def _counted(name: str, times: Iterable[tuple[int, int]], end_ns: int) -> Waiting:
    parts: list[dict[int, int]] = [{} for _ in range(PARTS)]
    total = 0
    for moment, ns in times:
        counts = parts[max(0, min(PARTS - 1, moment * PARTS // max(end_ns, 1)))]
        place = bucket(ns)
        counts[place] = counts.get(place, 0) + 1
        total += 1
    return Waiting(name, total, tuple(Part(tuple(sorted(counts.items()))) for counts in parts))
