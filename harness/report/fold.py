"""One pass over a history, keeping what reports need: times of steps, lives of processes, traces of violations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from harness.model.actions import Send
from harness.model.history import FENCE, HARNESS, HEALS, NEMESIS, SCRIPT, Op
from harness.model.latency import Stopwatch
from harness.model.leaks import leaked
from harness.model.plan import Plan
from harness.model.steps import Step
from harness.model.verdict import Violation
from harness.report.punctuality import Timekeeper
from harness.report.receipts import Receipts, merge
from harness.report.words import say_step

#: Violations whose messages are followed through the history; what is printed of a run is far fewer.
DETAILED = 20
#: Messages followed for one violation.
FOLLOWED = 8
#: Operations kept for diagrams.
TRACED = 5_000

_LIFE = frozenset(
    {"start", "exit", "connect", "disconnect", "connection", "ended", "join", "add", "leave", "kick"}
)

StepStatus = Literal["done", "not fulfilled", "failed", "unanswered", "unfinished", "not reached"]


class StepReport(NamedTuple):
    """One step of the script and when it was played."""

    pointer: str
    line: int
    text: str
    status: StepStatus
    start_ns: int | None = None
    end_ns: int | None = None
    """None also when the record ends before the step does."""
    reason: str = ""

    @property
    def duration_ns(self) -> int:
        """How long it took; 0 when it was not reached, or did not end."""
        return 0 if self.start_ns is None or self.end_ns is None else self.end_ns - self.start_ns


class ProcessReport(NamedTuple):
    """One process of the run: its number, its end, the last lines it wrote."""

    name: str
    pid: int | None = None
    end: Mapping[str, Any] | None = None
    """{code, signal, asked}; None when it was still running when the recorder stopped."""
    ended_ns: int | None = None
    lines: tuple[str, ...] = ()


class _Times:
    """When a step was played, so far."""

    __slots__ = ("end", "reason", "sends", "start", "status", "unanswered")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.status: StepStatus = "done"
        self.reason = ""
        self.sends = 0
        self.unanswered = 0


class Fold:
    """One pass over a history, keeping what reports need."""

    def __init__(self, plan: Plan, violations: tuple[Violation, ...]) -> None:
        self.plan = plan
        self.needed = {index for violation in violations for index in violation.ops}
        detailed = violations[:DETAILED]
        self.receipts = Receipts(plan, {name for v in detailed for name in v.messages[:FOLLOWED]})
        self.trace: dict[int, Op] = {}
        self.processes: dict[str, ProcessReport] = {}
        self.sent: set[tuple[str, str]] = set()
        self.faults = 0
        self.leaks: list[str] = []
        self.last_ns = 0
        self._held: Mapping[str, Any] = {}
        """What the server held when it was ready."""
        self._open: dict[int, Op] = {}
        self._times: dict[str, _Times] = {}
        self._tracing = bool(detailed)
        self.timekeeper = None if plan.workload is None else Timekeeper(plan.workload)
        self.stopwatch = Stopwatch(plan) if plan.limits else None

    def feed(self, op: Op) -> None:
        """Take in one operation."""
        self.last_ns = op.time
        if self.timekeeper is not None:
            self.timekeeper.feed(op)
        if self.stopwatch is not None:
            self.stopwatch.feed(op)
        begun = self._pair(op)
        if op.f == "send" and op.type == "invoke" and op.process not in (HARNESS, FENCE):
            self.sent.add((op.client, str(op.value.get("client_message_id") or op.value.get("id"))))
        elif op.process == NEMESIS and op.type == "invoke" and op.f not in HEALS:
            self.faults += 1
        elif op.f == "holds":
            if op.value.get("when") == "ready":
                self._held = op.value
            elif what := leaked(self._held, op.value):
                self.leaks.append(f"server: {what}")
        elif op.f == "leftovers":
            self.leaks += [f"pid {pid}: {command}" for pid, command in op.value.get("processes", ())]
        about = self.receipts.feed(op, begun)
        life = op.process == NEMESIS or (op.f in _LIFE and op.type != "invoke")
        if op.index in self.needed or (len(self.trace) < TRACED and (about or (life and self._tracing))):
            self.trace[op.index] = merge(op, begun)
        if op.f in ("spawn", "start", "exit"):
            self._process(op)
        if op.step is not None:
            self._step(op)

    def _pair(self, op: Op) -> Op | None:
        """Return the invocation that this operation completes, if it does."""
        if op.op is None or op.f == "read":
            return None
        if op.type == "invoke":
            self._open[op.op] = op
            return None
        return self._open.pop(op.op, None)

    def _process(self, op: Op) -> None:
        if op.type != "ok":
            return
        known = self.processes.get(op.process) or ProcessReport(name=op.process)
        pid = op.value.get("pid", known.pid)
        if op.f == "exit":
            self.processes[op.process] = known._replace(pid=pid, end=dict(op.value), ended_ns=op.time)
        else:
            self.processes[op.process] = known._replace(pid=pid, end=None, ended_ns=None)

    def _step(self, op: Op) -> None:
        assert op.step is not None
        times = self._times.get(op.step)
        if times is None:
            times = self._times[op.step] = _Times(op.time)
        times.end = op.time
        if op.f == "send":
            times.sends += op.type == "invoke"
            times.unanswered += op.type == "info"
            if times.unanswered and times.status in ("done", "unanswered"):
                # The script went on, since a fault explains it; but done it is not.
                times.status = "unanswered"
                times.reason = f"{times.unanswered} of {times.sends} unanswered"
        if op.process == SCRIPT and op.type == "fail":
            times.status = "not fulfilled" if op.f == "expect" else "failed"
            times.reason = str(op.value.get("reason") or (op.error or {}).get("message") or "")

    def steps(self) -> tuple[StepReport, ...]:
        """Return every step of the plan with its times."""
        open_ = {op.step for op in self._open.values()}
        out = []
        for step in self.plan.walk():
            span = self.plan.spans.get(step.pointer)
            times = self._times.get(step.pointer)
            report = StepReport(
                pointer=step.pointer,
                line=span.line if span else 0,
                text=f"{lane}: {say_step(step)}" if (lane := lane_of(step.pointer)) else say_step(step),
                status="not reached",
            )
            if times is not None:
                report = report._replace(
                    status=times.status, start_ns=times.start, end_ns=times.end, reason=times.reason
                )
                if times.status in ("done", "unanswered"):
                    report = _unfinished(report, step, times, is_open=step.pointer in open_)
            out.append(report)
        return tuple(out)


def _unfinished(report: StepReport, step: Step, times: _Times, *, is_open: bool) -> StepReport:
    """Return a step as unfinished if something of it is under way, or some of its messages are not yet sent."""
    if isinstance(step.action, Send):
        planned = (step.action.repeat or 1) * len(step.action.senders)
        if times.sends < planned:
            sent = f"{times.sends} of {planned} sent"
            reason = f"{sent}, {times.unanswered} unanswered" if times.unanswered else sent
            return report._replace(status="unfinished", end_ns=None, reason=reason)
    return report._replace(status="unfinished", end_ns=None) if is_open else report


def lane_of(pointer: str) -> str:
    """Return the name of the lane in which a step stands; empty outside of any."""
    parts = pointer.split("/")
    return parts[-2].replace("~1", "/").replace("~0", "~") if parts[-3] == "parallel" else ""
