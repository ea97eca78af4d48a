"""What is going on right now: who is online, what is waited for and since when, the last log line of each.

Folded from steps and operations as they are recorded; what `t` shows during a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from harness.model.history import FENCE, HARNESS, SCRIPT, SERVER, Op
from harness.model.plan import Plan
from harness.report.model import RowReport
from harness.report.progress import Progress
from harness.report.relay import Relay
from harness.report.text import clip, count, safe, seconds
from harness.report.words import say_op
from harness.verbs.phrases import listing

#: Open operations and log lines that are shown for one row.
_SHOWN = 12

#: Row -> process -> its last log lines.
ReadLogs = Callable[[Plan], Mapping[str, Iterable[str]]]


class _Row:
    """What is known of one running row."""

    def __init__(self, plan: Plan, now: int) -> None:
        self.plan = plan
        self.begun = now
        self.step = -1
        self.text = "starting the server"
        self.since = now
        self.online: dict[str, None] = {}
        self.server = "not ready yet"
        self.open: dict[int, tuple[Op, int]] = {}

    def feed(self, op: Op, now: int) -> None:
        if op.op is not None and op.f != "read":
            if op.type == "invoke":
                self.open[op.op] = (op, now)
            else:
                self.open.pop(op.op, None)
        if op.process == SERVER and op.type == "ok":
            self.server = f"up, pid {op.value.get('pid')}" if op.f == "start" else "down"
        elif op.f == "connect" and op.type == "ok":
            self.online[op.client] = None
        elif op.f in ("disconnect", "exit") and op.type == "ok":
            self.online.pop(op.client, None)
        elif op.f == "final" and op.type == "invoke":
            self.step, self.text, self.since = self.plan.length, "reading everybody to the end", now


class Situation(Relay):
    """Knows what is going on in each running row.

    Args:
        inner: told of everything, too.
        read_logs: finds the last log lines of a row's processes.
        clock: ns, monotonic.
    """

    def __init__(
        self, inner: Progress, read_logs: ReadLogs, clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        super().__init__(inner)
        self._read_logs = read_logs
        self._clock = clock
        self._rows: dict[str, _Row] = {}

    def row_started(self, plan: Plan) -> None:
        """Begin to follow a row."""
        self._rows[plan.name] = _Row(plan, self._clock())
        super().row_started(plan)

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Note which step is played."""
        row = self._rows[plan.name]
        row.step, row.text, row.since = index, text, self._clock()
        super().step(plan, index, text)

    def op(self, plan: Plan, op: Op) -> None:
        """Note who comes and goes, and what is open."""
        self._rows[plan.name].feed(op, self._clock())
        super().op(plan, op)

    def row_finished(self, row: RowReport) -> None:
        """Stop following a row."""
        self._rows.pop(row.name, None)
        super().row_finished(row)

    def lines(self, width: int = 100) -> list[str]:
        """Return what to show, in lines of at most so many cells."""
        if not self._rows:
            return ["nothing is being played just now"]
        out: list[str] = []
        for row in list(self._rows.values()):
            out += self._tell(row)
        return [clip(line, width) for line in out]

    def _tell(self, row: _Row) -> list[str]:
        now = self._clock()
        plan = row.plan
        steps = plan.length
        place = f"step {row.step + 1}/{steps}" if 0 <= row.step < steps else "step –"
        names = [client.name for client in plan.clients]
        online = [name for name in names if name in row.online]
        offline = [name for name in names if name not in row.online]
        waiting = [(op, since) for op, since in row.open.values() if op.f not in ("script", "final")]
        out = [
            f"▶ {safe(plan.name)}  {seconds(now - row.begun)}",
            f"    online   {listing(online) or 'nobody'}"
            + (f"   (offline: {listing(offline)})" if offline else ""),
            f"    server   {row.server}",
            f"    waiting  {place} {safe(row.text)}, since {seconds(now - row.since)}",
        ]
        for op, since in waiting[:_SHOWN]:
            who = "" if op.process in (SCRIPT, HARNESS, FENCE) else f"{op.process}: "
            out.append(f"             {who}{safe(say_op(op))}, since {seconds(now - since)}")
        if len(waiting) > _SHOWN:
            out.append(f"             … and {count(len(waiting) - _SHOWN, 'more operation')}")
        logs = {name: list(lines) for name, lines in self._read_logs(plan).items()}
        for name, lines in list(logs.items())[:_SHOWN]:
            if lines:
                out.append(f"    log      {safe(name)} │ {safe(lines[-1])}")
        if len(logs) > _SHOWN:
            out.append(f"             … and {count(len(logs) - _SHOWN, 'more log')}")
        return out
