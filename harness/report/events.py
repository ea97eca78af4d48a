"""`chatsim run --json`: a run as it happens, one JSON object a line, schema `chatsim.run.v1`.

    {"schema": "chatsim.run.v1", "event": "run_started", ...}      always the first line
    {"event": "row_started", "row": "basic", ...}
    {"event": "step", "row": "basic", "index": 0, ...}
    {"event": "op", "row": "basic", "op": {...}}                   with -v only: a line of its history.jsonl
    {"event": "row_finished", "row": "basic", "status": "pass", ...}
    {"event": "run_finished", "status": "pass", "exit_code": 0, ...}   always the last

docs/suite.md describes every field. `time_ns` counts from the first line. A reader that has gone ends nothing: the
run goes on, and its reports are written.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from harness import __version__
from harness.model.history import Op
from harness.model.plan import Plan
from harness.model.steps import Step
from harness.model.verdict import RunStatus
from harness.outlet import tell
from harness.report.model import Invocation, RowReport
from harness.report.progress import Progress
from harness.report.relay import Relay

SCHEMA = "chatsim.run.v1"


class Events(Relay):
    """Writes what happens as JSON Lines, and passes it on to those who tell people.

    Args:
        inner: tells people.
        out: takes the lines.
        ops: whether every operation is a line, too.
        clock: ns, monotonic.
    """

    def __init__(
        self,
        inner: Progress,
        out: TextIO,
        *,
        ops: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(inner)
        self._out = out
        self._ops = ops
        self._clock = clock
        self._begun = clock()
        self._steps: dict[str, Sequence[Step]] = {}
        """All steps of each row, those of lanes among them, as they are numbered."""
        self._lock = threading.Lock()

    def run_started(
        self, plans: Sequence[Plan], *, command: Sequence[str], seed: int, directory: str
    ) -> None:
        """Write the first line."""
        self._steps = {plan.name: tuple(plan.walk()) for plan in plans}
        rows = [
            {
                "row": plan.name,
                "title": plan.title,
                "file": plan.file,
                "tags": list(plan.tags),
                "clients": [client.name for client in plan.clients],
                "steps": len(self._steps[plan.name]),
            }
            for plan in plans
        ]
        self._write(
            "run_started",
            schema=SCHEMA,
            chatsim=__version__,
            command=list(command),
            seed=seed,
            directory=directory,
            rows=rows,
        )

    def row_started(self, plan: Plan) -> None:
        """Write that a row begins."""
        self._write("row_started", row=plan.name)
        super().row_started(plan)

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Write that a step begins."""
        pointer = self._steps[plan.name][index].pointer
        span = plan.spans.get(pointer)
        line = span.line if span else None
        self._write("step", row=plan.name, index=index, pointer=pointer, line=line, text=text)
        super().step(plan, index, text)

    def op(self, plan: Plan, op: Op) -> None:
        """Write an operation, if these are wanted."""
        if self._ops:
            self._write("op", row=plan.name, op=json.loads(op.to_line()))
        super().op(plan, op)

    def row_finished(self, row: RowReport) -> None:
        """Write how a row ended, with every violation in one sentence."""
        self._write(
            "row_finished",
            row=row.name,
            status=row.status.value,
            reason=row.reason,
            directory=row.directory,
            seed=row.seed,
            duration_ns=row.duration_ns,
            messages=row.messages_sent,
            checks=row.checks,
            checks_passed=row.checks_passed,
            violations=_violations(row),
            leaks=list(row.leaks),
        )
        super().row_finished(row)

    def run_finished(self, invocation: Invocation, exit_code: int) -> None:
        """Write the last line."""
        self._write(
            "run_finished",
            status=None if invocation.status is None else invocation.status.value,
            exit_code=int(exit_code),
            totals={status.value: invocation.total(status) for status in RunStatus},
            directory=invocation.directory,
            duration_ns=invocation.elapsed_ns,
        )

    def _write(self, event: str, *, schema: str = "", **fields: Any) -> None:
        head = {"schema": schema, "event": event} if schema else {"event": event}
        line = json.dumps({**head, "time_ns": self._clock() - self._begun, **fields}, separators=(",", ":"))
        with self._lock:
            tell(self._out, f"{line}\n")


def _violations(row: RowReport) -> list[dict[str, Any]]:
    found = []
    for verdict in row.verdicts:
        for violation in verdict.violations:
            pointer = next(iter(violation.pointers), verdict.pointer)
            span = row.span(pointer) if pointer else None
            found.append(
                {
                    "check": verdict.name,
                    "kind": violation.kind,
                    "sentence": violation.sentence,
                    "file": row.plan.file,
                    "line": span.line if span else None,
                }
            )
    return found
