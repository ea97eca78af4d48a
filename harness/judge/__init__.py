"""The judge: a plan and a history in, verdicts out. Pure: no file, no clock, no chance.

`State` folds the facts; each invariant family and each expectation looks at the operations it asks
for and concludes at the end. A check that raises ends `unknown` with its trace; judging goes on. What is convicted is
judged again from its proof alone, see `proof`.

To add an invariant: one file with a `Family`, and its name in `ALL_FAMILIES`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator

from harness.judge.check import Check
from harness.judge.claims import Claims
from harness.judge.conclusion import conclude
from harness.judge.cursors import Cursors
from harness.judge.expectations import expectations
from harness.judge.family import Family
from harness.judge.members_only import MembersOnly
from harness.judge.no_duplicate import NoDuplicate
from harness.judge.no_echo import NoEcho
from harness.judge.no_loss import NoLoss
from harness.judge.no_phantom import NoPhantom
from harness.judge.one_order import OneOrder
from harness.judge.proof import proven
from harness.judge.state import State
from harness.model.history import Op
from harness.model.plan import Plan
from harness.model.verdict import Judgement, Status, Verdict

ALL_FAMILIES: tuple[type[Family], ...] = (
    NoLoss,
    NoDuplicate,
    NoPhantom,
    MembersOnly,
    NoEcho,
    OneOrder,
    Cursors,
    Claims,
)
"""In the reading order of `harness.model.verdict.FAMILIES`."""

__all__ = ["ALL_FAMILIES", "judge"]


def judge(plan: Plan, history: Iterable[Op]) -> Judgement:
    """Judge one run.

    Args:
        plan: what was to be done.
        history: what happened, in order. Read once; and once more, for the proofs, if an invariant is violated.
            What can be read only once is kept in memory.

    Returns:
        The verdicts (expectations in the order of the plan, then invariants in that of the table) and the
        status of the run. Never raises over what a history says; only what reading it raises passes through.
    """
    if isinstance(history, Iterator):
        history = list(history)
    state = State(plan)
    checks: list[Check] = [*expectations(plan), *(family() for family in ALL_FAMILIES)]
    crashed: dict[Check, str] = {}
    for check in checks:
        try:
            check.prepare(state)
        except Exception:  # noqa: BLE001  a broken check must not end the judging of all others
            crashed[check] = traceback.format_exc(limit=-6)
    shown: dict[str, list[Check]] = {}
    for check in checks:
        for f in check.wants:
            shown.setdefault(f, []).append(check)
    for op in history:
        try:
            if not state.observe(op):
                continue
        except Exception:  # noqa: BLE001  a history may say anything
            state.assumptions.complain(f"operation {op.index} cannot be understood: {_last_line()}")
            continue
        for check in shown.get(op.f, ()):
            if check not in crashed:
                try:
                    check.step(state, op)
                except Exception:  # noqa: BLE001  a broken check must not end the judging of all others
                    crashed[check] = traceback.format_exc(limit=-6)
    verdicts: list[Verdict] = []
    for check in checks:
        verdicts.extend(_finish(check, state, crashed.get(check)))
    return conclude(plan, state, proven(plan, history, verdicts, ALL_FAMILIES))


def _finish(check: Check, state: State, trace: str | None) -> Iterable[Verdict]:
    """Return the verdicts of one check, whatever happens in it."""
    finish: Callable[[State], Iterable[Verdict]] = check.conclude
    if trace is None:
        try:
            return finish(state)
        except Exception:  # noqa: BLE001  as above
            trace = traceback.format_exc(limit=-6)
    return (check.pronounce(Status.UNKNOWN, reason=f"the checker itself broke:\n{trace}"),)


def _last_line() -> str:
    return traceback.format_exc(limit=-1).strip().rpartition("\n")[2]
