"""What each party saw of a run: messages in the order of their first deliveries, and what the senders were told.

A fold over the operations of a run, in their order; pure. Messages are known by their ids in the plan; one that
nobody scripted, by its text: all else about it is drawn anew in each run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from harness.model.history import FENCE, HARNESS, Op
from harness.model.plan import Plan
from harness.report.html.latency import Latencies
from harness.report.receipts import merge
from harness.report.words import refusal


class View(NamedTuple):
    """What one client saw."""

    rooms: Mapping[str, tuple[str, ...]]
    """Room -> messages, each once, in the order of their first deliveries."""
    again: Mapping[str, int]
    """Message -> how often it came again, if it did."""

    @property
    def total(self) -> int:
        """How many messages it saw."""
        return sum(map(len, self.rooms.values()))


class Views(NamedTuple):
    """What everybody saw."""

    clients: Mapping[str, View]
    answers: Mapping[str, str]
    """Message -> what the last try to send it was answered: `ok`, the refusal, or `no answer`."""
    waited: Mapping[str, Sequence[int]] = {}
    """Client -> how long its deliveries took, in ns, as `Latencies` counts it."""
    answered: Sequence[int] = ()
    """How long the answers took, in ns."""


def views_of(plan: Plan, ops: Iterable[Op]) -> Views:
    """Return what everybody saw in a history."""
    rooms: dict[str, dict[str, dict[str, int]]] = {}
    answers: dict[str, str] = {}
    latencies = Latencies(plan)
    begun: dict[int, Op] = {}
    for op in ops:
        whole = op
        if op.op is not None and op.f != "read":
            if op.type == "invoke":
                begun[op.op] = op
            else:
                whole = merge(op, begun.pop(op.op, None))
        latencies.feed(whole)
        if op.process in (HARNESS, FENCE):
            continue
        if op.f == "deliver":
            seen = rooms.setdefault(op.client, {}).setdefault(str(op.value.get("room")), {})
            name = _name(op)
            seen[name] = seen.get(name, 0) + 1
        elif op.f == "send" and op.type != "invoke":
            answers[_name(whole)] = "ok" if op.type == "ok" else refusal(op)
    clients = {
        client: View(
            {room: tuple(seen) for room, seen in of.items()},
            {name: times - 1 for seen in of.values() for name, times in seen.items() if times > 1},
        )
        for client, of in rooms.items()
    }
    return Views(clients, answers, latencies.by_client(), latencies.answers())


def percentile(times: Sequence[int], share: float) -> int:
    """Return the smallest of some times that is not below this share of them; 0 of none."""
    ordered = sorted(times)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0


def _name(op: Op) -> str:
    return str(op.value.get("id") or f"“{op.value.get('text') or ''}”")
