"""What a report is made from: one `RowReport` a scenario row, all rows of a command in one `Invocation`.

Pure data made from the record by `build`, in one pass over the history. Everything that a person or a machine
reads is drawn from these two, so terminal, JSON and JUnit cannot disagree. Times are ns since the run began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from harness.model.history import Op
from harness.model.latency import Latency
from harness.model.plan import Plan
from harness.model.span import Span
from harness.model.verdict import Judgement, RunStatus, Status, Verdict, Violation
from harness.report.fold import Fold, ProcessReport, StepReport
from harness.report.punctuality import Punctuality
from harness.report.receipts import MessageReport


class ErrorReport(NamedTuple):
    """Why a row could not be run."""

    sentence: str
    process: str = ""
    command: str = ""
    exit: str = ""
    lines: tuple[str, ...] = ()
    help: str = ""


class RowReport(NamedTuple):
    """Everything the reports say about one scenario row."""

    plan: Plan
    status: RunStatus
    reason: str
    judgement: Judgement | None
    directory: str
    started_at: str
    """UTC, ISO 8601; empty when unknown."""
    duration_ns: int
    scripted_waiting_ns: int
    """Scenario time that the script asked to wait."""
    seed: int
    messages_sent: int
    """Messages that somebody tried to send, each once."""
    faults: int
    steps: tuple[StepReport, ...]
    messages: Mapping[str, MessageReport]
    """Who got what, of the messages that violations are about."""
    trace: Mapping[int, Op]
    """Operations around the violations, by index, in order; completions carry their invocation's values too."""
    processes: tuple[ProcessReport, ...]
    leaks: tuple[str, ...]
    """What was left behind: processes, ports, files; none on a sound machine."""
    error: ErrorReport | None
    env: Mapping[str, Any]
    punctuality: Punctuality | None = None
    """Of its workload, when it has one."""
    latency: Latency | None = None
    """How long its deliveries took, when it has limits."""

    @property
    def name(self) -> str:
        """The row's short name."""
        return self.plan.name

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Every verdict, also of checks that had nothing to judge."""
        return self.judgement.verdicts if self.judgement else ()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What went wrong: violations of checks that failed, in the order of the verdicts."""
        return tuple(
            v for verdict in self.verdicts if verdict.status is Status.FAIL for v in verdict.violations
        )

    @property
    def checks(self) -> int:
        """How many checks had something to judge."""
        return sum(verdict.status in (Status.PASS, Status.FAIL, Status.UNKNOWN) for verdict in self.verdicts)

    @property
    def checks_passed(self) -> int:
        """How many checks passed."""
        return sum(verdict.status is Status.PASS for verdict in self.verdicts)

    @property
    def waited_ns(self) -> int:
        """Real time that went into waiting that the script asked for; at `--speed max` none."""
        speed = self.env.get("speed", 1.0)
        return int(self.scripted_waiting_ns / speed) if isinstance(speed, (int, float)) and speed > 0 else 0

    def span(self, pointer: str) -> Span | None:
        """Return where a pointer stands in the scenario, or the nearest thing around it; None: nowhere."""
        while pointer:
            if (span := self.plan.spans.get(pointer)) is not None:
                return span
            pointer = pointer.rpartition("/")[0]
        return None

    def process(self, name: str) -> ProcessReport | None:
        """Return a process; for a client, its latest incarnation."""
        found = None
        for process in self.processes:
            if process.name.partition("#")[0] == name or process.name == name:
                found = process
        return found


class Invocation(NamedTuple):
    """One `chatsim run`: its rows and what they have in common."""

    rows: tuple[RowReport, ...]
    command: tuple[str, ...] = ()
    """The command as typed: ("chatsim", "run", "scenarios/")."""
    paths: tuple[str, ...] = ()
    """Those words of it that name scenarios."""
    seed: int = 0
    directory: str = ""
    """Where the reports are, as a person would type it."""
    duration_ns: int = 0
    """Wall time of all of it; 0: the sum of the rows."""
    started_at: str = ""
    page: str = ""
    """The page to look at, as a person would type it; empty when none was written."""

    def total(self, status: RunStatus) -> int:
        """Return how many rows ended so."""
        return sum(row.status is status for row in self.rows)

    @property
    def status(self) -> RunStatus | None:
        """The status of the whole, by the rank of the exit codes; None when nothing was selected."""
        order = (RunStatus.INTERRUPTED, RunStatus.ERROR, RunStatus.FAIL, RunStatus.UNKNOWN, RunStatus.PASS)
        present = {row.status for row in self.rows}
        return next((status for status in order if status in present), RunStatus.SKIPPED if present else None)

    @property
    def elapsed_ns(self) -> int:
        """Wall time of the whole."""
        return self.duration_ns or sum(row.duration_ns for row in self.rows)


def span_ns(rows: Sequence[RowReport]) -> int:
    """Return how long rows took, some of them side by side, from their own record; 0 when one does not say."""
    try:
        begun = [datetime.fromisoformat(row.started_at) for row in rows]
        ended = [
            at + timedelta(microseconds=row.duration_ns // 1_000) for at, row in zip(begun, rows, strict=True)
        ]
        return (max(ended) - min(begun)) // timedelta(microseconds=1) * 1_000 if rows else 0
    except (TypeError, ValueError, OverflowError):
        return 0


def build(
    plan: Plan,
    ops: Iterable[Op],
    judgement: Judgement | None,
    env: Mapping[str, Any],
    logs: Mapping[str, Iterable[str]],
    *,
    directory: str = "",
) -> RowReport:
    """Make the report of one row.

    Args:
        plan: What was to be done.
        ops: The history, once through, in order.
        judgement: What was concluded; None when there was nothing to judge.
        env: Content of env.json. Read here: `status` (when the row could not be run), `reason`, `error`
            {sentence, process, exit, last_lines, command, help}, `duration_ns`, `scripted_waiting_ns`,
            `speed` (a factor or "max"), `started_at`, `seed`, `leaks`.
        logs: Last lines of each process, oldest first.
        directory: The row's folder, as a person would type it.
    """
    fold = Fold(plan, judgement.violations if judgement else ())
    for op in ops:
        fold.feed(op)
    status = (
        RunStatus(env["status"]) if env.get("status") else judgement.status if judgement else RunStatus.ERROR
    )
    error = _error(env.get("error"))
    if error is None and status is RunStatus.ERROR:
        error = ErrorReport(sentence=str(env.get("reason") or "the run left no verdicts and no reason"))
    reason = (
        str(env.get("reason") or "")
        or (judgement.reason if judgement else "")
        or (error.sentence if error else "")
    )
    return RowReport(
        plan=plan,
        status=status,
        reason=reason,
        judgement=judgement,
        directory=directory,
        started_at=str(env.get("started_at") or ""),
        duration_ns=int(env.get("duration_ns") or fold.last_ns),
        scripted_waiting_ns=int(env.get("scripted_waiting_ns") or 0),
        seed=int(env["seed"]) if env.get("seed") is not None else plan.seed,
        messages_sent=len(fold.sent),
        faults=fold.faults,
        steps=fold.steps(),
        messages=fold.receipts.result(),
        trace=fold.trace,
        processes=_processes(fold.processes, logs),
        leaks=tuple(dict.fromkeys([*fold.leaks, *map(str, env.get("leaks") or ())])),
        error=error,
        env=env,
        punctuality=None if fold.timekeeper is None else fold.timekeeper.result(),
        latency=None if fold.stopwatch is None else fold.stopwatch.result(),
    )


def _processes(
    found: Mapping[str, ProcessReport], logs: Mapping[str, Iterable[str]]
) -> tuple[ProcessReport, ...]:
    names = [*found, *(name for name in logs if name not in found)]
    return tuple(
        (found.get(name) or ProcessReport(name=name))._replace(lines=tuple(logs.get(name, ())))
        for name in names
    )


def _error(data: Any) -> ErrorReport | None:
    if not data:
        return None
    code = data.get("exit")
    return ErrorReport(
        sentence=str(data.get("sentence") or "the run broke off"),
        process=str(data.get("process") or ""),
        command=str(data.get("command") or ""),
        exit="" if code is None else str(code),
        lines=tuple(map(str, data.get("last_lines") or ())),
        help=str(data.get("help") or ""),
    )


def evidence(rows: Iterable[RowReport]) -> Counter[str]:
    """Return how absence was shown, over all checks of these rows: {"by position": 14, …}."""
    total: Counter[str] = Counter()
    for row in rows:
        for verdict in row.verdicts:
            total.update(verdict.evidence)
    return total
