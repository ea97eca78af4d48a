"""How punctual a workload was: how long after its moment each act began, folded from a history.

An act counts as late when it began more than `IN_TIME_NS` after its moment, or never, and no fault was active on its
client or on the server in between, or up to `RECOVERY_NS` before its moment: clients that reconnect do so at a pace
of their own. What a fault held up is told apart: it says nothing about the harness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.model.faults import SERVER
from harness.model.history import HEALS, NEMESIS, SCRIPT, Op
from harness.model.steps import Step
from harness.model.workload import IN_TIME_NS, Workload, actor

#: How long after its end a fault still holds up those it hit.
RECOVERY_NS = 1_000_000_000


class Punctuality(NamedTuple):
    """What became of the acts of a workload; the first four add up to `planned`."""

    planned: int
    in_time: int
    late: int
    held_up: int
    """Late or left out, and a fault on their client or on the server explains it."""
    left_out: int
    """Never begun, though no fault stood against it: the client was offline, or the time was over."""
    latest_ns: int
    """The longest after its moment that an act began which counts as in time or late."""

    @property
    def share(self) -> float:
        """Return the part of the acts that began in time, those aside that a fault held up; 1 when none is left."""
        counted = self.planned - self.held_up
        return self.in_time / counted if counted else 1.0


class Timekeeper:
    """One pass over the history of a workload."""

    def __init__(self, workload: Workload) -> None:
        self._due: dict[str, Step] = {act.pointer: act for act in workload.acts}
        self._zero = 0
        self._spans: dict[str, list[tuple[int, int | None]]] = {}
        """Target -> when faults were active on it; None while one still is."""
        self._in_time = self._late = self._held_up = self._left_out = self._latest = 0

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        if op.process == NEMESIS:
            self._fault(op)
        elif op.f == "workload" and op.process == SCRIPT and op.type == "invoke":
            self._zero = op.time
        elif op.step is not None and (act := self._due.pop(op.step, None)) is not None:
            self._begun(act, op)

    def result(self) -> Punctuality:
        """Return what became of all acts; those of which the history says nothing were left out."""
        planned = self._in_time + self._late + self._held_up + self._left_out + len(self._due)
        left_out = self._left_out + len(self._due)
        return Punctuality(planned, self._in_time, self._late, self._held_up, left_out, self._latest)

    def _begun(self, act: Step, op: Op) -> None:
        due = self._zero + (act.at_ns or 0)
        after = op.time - due
        if op.f != "skip" and after <= IN_TIME_NS:
            self._in_time += 1
        elif self._disturbed((actor(act), SERVER), due):
            self._held_up += 1
            return
        elif op.f == "skip":
            self._left_out += 1
            return
        else:
            self._late += 1
        self._latest = max(self._latest, after)

    def _disturbed(self, names: tuple[str, ...], since: int) -> bool:
        return any(
            until is None or until + RECOVERY_NS >= since
            for name in names
            for _, until in self._spans.get(name, ())
        )

    def _fault(self, op: Op) -> None:
        targets = op.value.get("targets", ())
        if op.type == "invoke" and op.f not in HEALS:
            for name in targets:
                self._spans.setdefault(name, []).append((op.time, None))
        elif op.type == "ok" and (op.f in HEALS or op.f == "restart"):
            for name in targets:
                spans = self._spans.get(name, [])
                self._spans[name] = [(since, until or op.time) for since, until in spans]


def total(found: Sequence[Punctuality]) -> Punctuality:
    """Return what became of the acts of several rows, one at least."""
    return Punctuality(
        planned=sum(one.planned for one in found),
        in_time=sum(one.in_time for one in found),
        late=sum(one.late for one in found),
        held_up=sum(one.held_up for one in found),
        left_out=sum(one.left_out for one in found),
        latest_ns=max(one.latest_ns for one in found),
    )
