"""`limits` that decide, with `--limits enforce`: deliveries are as quick as the scenario says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.state import State
from harness.model.history import Op
from harness.model.latency import FOLDED, Stopwatch, told
from harness.model.plan import Plan
from harness.model.verdict import Status, Verdict, Violation


class Limits(Check):
    """All limits of one scenario."""

    group: ClassVar[Group] = "expectation"
    wants = FOLDED
    pointer = "/limits"

    def __init__(self, plan: Plan) -> None:
        self._limits = plan.limits
        self._stopwatch = Stopwatch(plan)

    @property
    def title(self) -> str:
        """The name of the verdict."""
        return "limits"

    def step(self, state: State, op: Op) -> None:  # noqa: ARG002  it needs no other facts
        """Take the time."""
        self._stopwatch.feed(op)

    def conclude(self, state: State) -> Iterable[Verdict]:  # noqa: ARG002  as above
        """Compare each figure with its limit."""
        found = self._stopwatch.result()
        if not found.deliveries:
            reason = "no delivery could be timed"
            return (self.pronounce(Status.UNKNOWN, reason=reason),)
        violations = [
            Violation(
                kind="limit",
                sentence=f"{name} was {told(figure)}, and may be {told(self._limits[name])}: "
                f"{found.deliveries} deliveries, the longest of {told(found.longest)}",
                pointers=(f"/limits/{name}",),
                expected=f"at most {told(self._limits[name])}",
                actual=told(figure),
                hint="Timings are those of this machine, now: compare only what ran alone.",
            )
            for name, figure in found.beyond(self._limits).items()
        ]
        status = Status.FAIL if violations else Status.PASS
        return (self.pronounce(status, exercised=found.deliveries, violations=violations),)
