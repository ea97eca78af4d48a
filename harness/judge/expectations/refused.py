"""`refused:` on any verb: every action of the step must fail, with this status."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.findings import proof
from harness.judge.state import State
from harness.model.history import Op
from harness.model.steps import Step
from harness.model.verdict import Status, Verdict, Violation


class RefusedStep(Check):
    """One step that the server must refuse."""

    group: ClassVar[Group] = "expectation"

    def __init__(self, step: Step) -> None:
        self._step = step
        self.pointer = step.pointer

    @property
    def title(self) -> str:
        """The step, by its verb."""
        return f"refused {self._step.action.verb}"

    def prepare(self, state: State) -> None:
        """Keep what the step did."""
        state.keep(self._step.pointer)

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Compare how each action ended."""
        verb = self._step.action.verb
        f = "send" if verb == "resend" else verb
        done = [op for op in state.kept[self._step.pointer] if op.f == f]
        invoked = {op.op: op.index for op in done if op.type == "invoke"}
        ended = [op for op in done if op.type != "invoke"]
        open_ = [op for op in ended if op.type == "info"]
        wrong = [
            op for op in ended if op.type == "ok" or (op.type == "fail" and _code(op) != self._step.refused)
        ]
        violations = tuple(self._violation(op, invoked.get(op.op, -1)) for op in wrong)
        status, reason = Status.PASS, ""
        if violations:
            status = Status.FAIL
        elif open_ or len(invoked) > len(ended):
            status = Status.UNKNOWN
            reason = f"the server never said whether it refuses: {_code(open_[0]) if open_ else 'no answer'}"
        elif not ended:
            status, reason = Status.NOT_EXERCISED, "the script stopped before this step"
        return (
            self.pronounce(
                status,
                reason=reason,
                exercised=len(ended),
                violations=violations,
            ),
        )

    def _violation(self, op: Op, invoked: int) -> Violation:
        got = "it was not refused" if op.type == "ok" else f"it was refused with {_code(op) or 'no status'}"
        id_ = op.value.get("id")
        what = f"{op.f} `{id_}`" if isinstance(id_, str) else op.f
        return Violation(
            kind="refused",
            sentence=f"{op.client}'s {what} must be refused with {self._step.refused}, and {got}",
            ops=proof(invoked, op.index),
            pointers=(self._step.pointer,),
            clients=(op.client,),
            messages=(id_,) if isinstance(id_, str) else (),
            expected=self._step.refused or "",
            actual="ok" if op.type == "ok" else _code(op),
        )


def _code(op: Op) -> str:
    return str((op.error or {}).get("code") or "")
