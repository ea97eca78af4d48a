"""Processes live until they are told to go, hold nothing for those who have gone, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.findings import proof
from harness.judge.state import State
from harness.model.gravity import ENDED
from harness.model.history import Op
from harness.model.leaks import leaked
from harness.model.verdict import Status, Verdict, Violation


class Processes(Check):
    """A process that exited unasked, that was still there at the end, or that leaks, is a failure."""

    group: ClassVar[Group] = "run"

    @property
    def title(self) -> str:
        """The name of the verdict."""
        return "processes"

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Look at every exit, and at what was left over."""
        violations = [_unasked(op) for op in state.exits if op.value.get("asked") is False]
        violations.extend(
            _leftovers(op, running)
            for op in state.lives
            if op.f == "leftovers"
            and isinstance(running := op.value.get("processes"), (list, tuple))
            and running
        )
        violations.extend(_leaks(state.lives))
        seen = len(state.exits) + len(state.processes)
        status = Status.FAIL if violations else Status.PASS if seen else Status.NOT_EXERCISED
        return (
            self.pronounce(
                status,
                reason="no process was recorded" if status is Status.NOT_EXERCISED else "",
                exercised=seen,
                violations=tuple(violations),
            ),
        )


def _unasked(op: Op) -> Violation:
    code, signal = op.value.get("code"), op.value.get("signal")
    how = f"killed by signal {signal}" if signal is not None else f"with exit code {code}"
    who = "the server" if op.process == "server" else f"the process of {op.process}"
    verb = "was" if signal is not None else "ended"
    return Violation(
        kind=ENDED,
        sentence=f"{who} {verb} {how}, and nothing in the script asked for that",
        ops=proof(op.index),
        clients=() if op.process == "server" else (op.client,),
        expected="runs until it is told to go",
        actual=how,
        hint=f"Its last words are in logs/{op.process}.log.",
    )


def _leaks(lives: Iterable[Op]) -> Iterator[Violation]:
    """Compare what each life of the server held at the end with what it held when it was ready."""
    ready: Op | None = None
    for op in lives:
        if op.f != "holds" or op.value.get("tolerated") is True:
            continue
        if op.value.get("when") == "ready":
            ready = op
        elif ready is not None and (what := leaked(ready.value, op.value)):
            yield Violation(
                kind="leaked",
                sentence=f"the server held {what}",
                ops=proof(ready.index, op.index),
                expected="lets go of what its clients no longer need",
                actual=what,
                hint="`--leaks report` only reports it, for servers that let go of things later than that.",
            )


def _leftovers(op: Op, running: Iterable[object]) -> Violation:
    names = [
        " ".join(str(part) for part in item) if isinstance(item, (list, tuple)) else str(item)
        for item in running
    ]
    return Violation(
        kind="leftovers",
        sentence=f"still running after everybody was told to go: {', '.join(names)}",
        ops=proof(op.index),
        expected="nothing left behind",
        actual=", ".join(names),
    )
