"""How long deliveries took, folded from a history: the figures that `limits` speak of.

A delivery takes from the latest of these to its being handed over: its send was answered; its receiver was ready (it
came, its connection was restored, it came into the room, or the poll of a client that reads by hand began); the last
fault that touched its receiver or the server was over. What was handed over before that took no time.

Not counted: deliveries while such a fault goes on, repeated ones, messages whose send was never answered ok, and what
goes to clients that are slow on purpose. Times are those of the drivers, on one clock of the machine; who has none is
timed by the recorder.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from harness.model.faults import SERVER
from harness.model.history import ENDS_ITSELF, HEALS, NEMESIS, Op
from harness.model.plan import Plan

#: What a limit may be set on -> the share of deliveries that are as quick.
QUANTILES: Final[Mapping[str, float]] = {"delivery_p50": 0.5, "delivery_p90": 0.9, "delivery_p99": 0.99}
#: The `f` of the operations that it is folded from.
FOLDED: Final = frozenset(
    {"send", "deliver", "connect", "connection", "poll", "join", "add"}
    | {"kill", "restart", "pause", "cut", "slow", "refuse", "half_open", "reset", "disk_full", "read_only"}
    | {"lose", "delay", "duplicate", "goaway", "fired"}
    | set(HEALS)
)


class Latency(NamedTuple):
    """How long deliveries took, ns; of none all are 0."""

    deliveries: int
    figures: Mapping[str, int]
    """By the names of `QUANTILES`."""
    longest: int

    def beyond(self, limits: Mapping[str, int]) -> dict[str, int]:
        """Return the figures that are beyond their limits."""
        return {name: self.figures[name] for name, limit in limits.items() if self.figures[name] > limit}


class _Delivery(NamedTuple):
    client: str
    message: tuple[object, ...]
    at: int
    ready: int


class Stopwatch:
    """One pass over a history."""

    def __init__(self, plan: Plan) -> None:
        self._slow = {client.name for client in plan.clients if client.handles_per_s is not None}
        self._users = {client.name: client.user for client in plan.clients}
        self._answered: dict[tuple[object, ...], int] = {}
        self._ready: dict[str, int] = {}
        """When a client was last ready to receive."""
        self._coming: set[str] = set()
        """Clients that are about to be ready: on their way, or looking for the server."""
        self._entered: dict[tuple[str, object], int] = {}
        """When a user came into a room."""
        self._active: dict[str, int] = {}
        """Faults that go on, by target."""
        self._over: dict[str, int] = {}
        """When the last fault on a target was over."""
        self._first: set[tuple[object, ...]] = set()
        self._found: list[_Delivery] = []
        self._offset: int | None = None

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        if op.t is not None:
            ahead = op.time - op.t
            self._offset = ahead if self._offset is None else min(self._offset, ahead)
        if op.process == NEMESIS:
            self._fault(op)
        elif op.client not in self._users:
            return
        elif op.f == "deliver":
            self._deliver(op)
        elif op.f == "poll" and op.type == "invoke" and op.step is not None:
            self._ready[op.client] = self._at(op)
        elif op.f in ("connect", "connection"):
            self._presence(op)
        elif op.type != "ok":
            return
        elif op.f == "send":
            self._answered.setdefault(_message(op, self._users[op.client]), self._at(op))
        elif op.f in ("join", "add"):
            user = str(op.value.get("user", self._users[op.client]))
            self._entered[user, op.value.get("room")] = self._at(op)

    def times(self) -> Iterator[tuple[str, int, int]]:
        """Return of each delivery to whom it was, when, ns since the run began, and how long it took, ns."""
        for each in self._found:
            if (answered := self._answered.get(each.message)) is not None:
                yield each.client, each.at + (self._offset or 0), max(0, each.at - max(each.ready, answered))

    def result(self) -> Latency:
        """Return the figures."""
        took = sorted(took for _, _, took in self.times())
        return Latency(
            len(took),
            {name: _quantile(took, share) for name, share in QUANTILES.items()},
            took[-1] if took else 0,
        )

    def _presence(self, op: Op) -> None:
        if op.type == "invoke" or op.value.get("state") == "lost":
            self._coming.add(op.client)
        else:
            self._coming.discard(op.client)
            self._ready[op.client] = self._at(op)

    def _deliver(self, op: Op) -> None:
        who, touching = op.client, (op.client, SERVER)
        message = _message(op, str(op.value.get("sender", "")))
        if who in self._slow or (who, *message) in self._first:
            return
        self._first.add((who, *message))
        if any(self._active.get(name) for name in touching):
            return
        if who in self._coming:
            self._found.append(_Delivery(who, message, self._at(op), self._at(op)))
            return
        moments = [self._over.get(name) for name in touching]
        moments += [self._ready.get(who), self._entered.get((self._users[who], op.value.get("room")))]
        ready = max((moment for moment in moments if moment is not None), default=0)
        self._found.append(_Delivery(who, message, self._at(op), ready))

    def _fault(self, op: Op) -> None:
        targets = op.value.get("targets", ())
        if op.type == "invoke" and op.f not in HEALS:
            for name in targets:
                self._active[name] = self._active.get(name, 0) + 1
        elif op.type != "invoke" and (op.f in HEALS or op.f in ENDS_ITSELF or op.f == "fired"):
            for name in targets:
                self._active[name] = 0
                self._over[name] = self._at(op)

    def _at(self, op: Op) -> int:
        """Return when it was, on the clock of the drivers as far as it is known."""
        return op.t if op.t is not None else op.time - (self._offset or 0)


def _message(op: Op, sender: str) -> tuple[object, ...]:
    return op.value.get("room"), sender, op.value.get("client_message_id")


def _quantile(took: list[int], share: float) -> int:
    """Return the smallest that so many are not beyond."""
    return took[max(0, math.ceil(len(took) * share) - 1)] if took else 0


def told(ns: int) -> str:
    """Return a length of time as one compares such: `0.312 ms`, `51.2 ms`, `1.24 s`."""
    return f"{ns / 1e6:.3g} ms" if ns < 999_500_000 else f"{ns / 1e9:.3g} s"
