"""How sends must end: a default send ends ok; one with `outcome: none` must not; `any` may end as it will."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.expectations.unanswered import fault_during, unanswered
from harness.judge.facts import Fault
from harness.judge.findings import proof
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.plan import Plan
from harness.model.verdict import Status, Verdict, Violation


class Outcomes(Check):
    """The outcomes of all sends; those that must be refused have a check of their own."""

    group: ClassVar[Group] = "expectation"

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @property
    def title(self) -> str:
        """The name of the verdict."""
        return "outcome"

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Compare how each scripted send ended with what stands there."""
        violations: list[Violation] = []
        in_doubt: list[tuple[Message, Fault]] = []
        judged = 0
        for step, send in self._plan.sends():
            if step.refused is not None or send.outcome == "any":
                continue
            for _, id_, _ in send.messages():
                message = state.messages.by_id.get(id_)
                if message is None:
                    continue
                judged += 1
                if send.outcome == "none":
                    if message.acknowledged:
                        violations.append(
                            _violation(message, "was acknowledged, and should not be", "not ok")
                        )
                elif message.refused:
                    violations.append(_violation(message, f"was refused: {_error(message)}", "ok"))
                elif not message.acknowledged:
                    if (fault := fault_during(state, message)) is not None:
                        in_doubt.append((message, fault))
                        continue
                    violations.append(_violation(message, f"was never answered: {_error(message)}", "ok"))
        status, reason = Status.PASS, ""
        if violations:
            status = Status.FAIL
        elif in_doubt:
            violations = unanswered(state, in_doubt)
            status, reason = Status.UNKNOWN, violations[0].sentence
        elif not judged:
            status, reason = Status.NOT_EXERCISED, "no send that must end in one way was made"
        return (
            self.pronounce(
                status,
                reason=reason,
                exercised=judged,
                violations=tuple(violations),
            ),
        )


def _error(message: Message) -> str:
    parts = [str(message.error[key]) for key in ("code", "message") if message.error.get(key)]
    return ": ".join(parts) or "no answer"


def _violation(message: Message, fate: str, expected: str) -> Violation:
    end = next((at for at in (message.acked_at, message.refusal, message.open_at) if at != NEVER), NEVER)
    return Violation(
        kind="outcome",
        sentence=f"`{message.name}`, which {message.sender} sent to {message.room}, {fate}",
        ops=proof(message.first_invoke, end),
        pointers=(message.pointer,) if message.pointer is not None else (),
        clients=(message.sender,),
        messages=(message.name,),
        expected=expected,
        actual="ok" if message.acknowledged else _error(message),
    )
