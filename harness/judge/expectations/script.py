"""The script itself: it was played to its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.findings import proof
from harness.judge.state import State
from harness.model.verdict import Status, Verdict, Violation


class Script(Check):
    """A step that failed stops the script, and that is a failure of its own."""

    group: ClassVar[Group] = "run"

    @property
    def title(self) -> str:
        """The name of the verdict."""
        return "script"

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Look at how the script ended."""
        status, reason = Status.NOT_EXERCISED, "the script was not begun"
        violations: tuple[Violation, ...] = ()
        for op in state.lives:
            if op.f != "script":
                continue
            if op.type == "invoke":
                status, reason = Status.UNKNOWN, "the script did not come to its end"
            elif op.type == "ok":
                status, reason = Status.PASS, ""
            elif op.type == "fail":
                why = str(op.value.get("reason") or (op.error or {}).get("message") or "a step failed")
                status, reason = Status.FAIL, ""
                violations = (
                    Violation(
                        kind="script",
                        sentence=why,
                        ops=proof(state.assumptions.invoked_at(op), op.index),
                        pointers=(op.step,) if op.step is not None else (),
                        expected="the script is played to its end",
                        actual="stopped",
                        hint="The steps after it were not played; what was recorded until then is judged.",
                    ),
                )
        if status is Status.NOT_EXERCISED and state.size == 0:
            reason = "the history is empty"
        return (
            self.pronounce(
                status,
                reason=reason,
                exercised=int(status is not Status.NOT_EXERCISED),
                violations=violations,
            ),
        )
