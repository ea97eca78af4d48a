"""What happens while rows are played: redrawn lines on a person's terminal, finished rows everywhere.

    open_progress ──▶ LiveProgress   standard error is a terminal: one redrawn line per running row, at most 8
                 └──▶ LineProgress   elsewhere: one line per finished run, nothing else

Finished rows go to standard output, which has the results; what is redrawn goes to standard error. rich is
imported only by LiveProgress, and only when a command has run for a while, so short ones do not pay for it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from harness.model.history import Op
from harness.model.plan import Plan
from harness.outlet import tell
from harness.report.look import Look, wants_redraw
from harness.report.model import RowReport
from harness.report.terminal import announcement, detail_lines, summary_line
from harness.report.text import clip, count, safe, to_ascii

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

#: Lines that are redrawn; more running rows than that are counted in the last one.
LINES = 8
#: Nothing is drawn before this, in seconds: what is over by then needs no progress.
PATIENCE = 0.4

Clock = Callable[[], float]


class Progress(Protocol):
    """What the run tells while it plays. Safe to call from any thread; never blocks for long, never raises."""

    def row_started(self, plan: Plan) -> None:
        """A row begins."""
        ...

    def step(self, plan: Plan, index: int, text: str) -> None:
        """A row's step `index` begins, counted from 0 as `Plan.walk` does; `text` says it in a few words."""
        ...

    def op(self, plan: Plan, op: Op) -> None:
        """An operation of a row was recorded."""
        ...

    def say(self, text: str) -> None:
        """Write lines for a person to standard error, above what is redrawn."""
        ...

    def row_finished(self, row: RowReport) -> None:
        """A row is over and judged."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None: ...


def open_progress(
    out: TextIO,
    err: TextIO,
    environ: Mapping[str, str],
    *,
    look: Look,
    verbosity: int = 0,
    name_cells: int = 20,
) -> Progress:
    """Return the progress that fits these streams.

    Args:
        out: Where results go.
        err: Where progress goes.
        environ: The environment variables.
        look: How results are drawn.
        verbosity: -1 for -q (no lines for rows), 1 for -v (steps and checks under each row), 2 for -vv (logs
            pass by, so nothing is redrawn).
        name_cells: Width of the column of names.
    """
    finished = LineProgress(out, err, look=look, verbosity=verbosity, name_cells=name_cells)
    if verbosity < 0 or verbosity > 1 or not wants_redraw(err, environ):
        return finished
    return LiveProgress(finished, err, ascii_only=look.ascii)


class LineProgress:
    """One line for each finished row."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO | None = None,
        *,
        look: Look,
        verbosity: int = 0,
        name_cells: int = 20,
    ) -> None:
        self._out = out
        self._err = err
        self._look = look
        self._verbosity = verbosity
        self._name_cells = name_cells
        self._lock = threading.Lock()

    @property
    def out(self) -> TextIO:
        """Where results go."""
        return self._out

    def row_started(self, plan: Plan) -> None:
        """Say what the seed will have, where anything is left to it."""
        if plan.workload is not None and self._verbosity >= 0:
            self.say(announcement(plan))

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Say nothing."""

    def op(self, plan: Plan, op: Op) -> None:
        """Say nothing."""

    def say(self, text: str) -> None:
        """Write the lines."""
        err = self._err or sys.stderr
        with self._lock:
            tell(err, text + "\n")

    def row_finished(self, row: RowReport) -> None:
        """Write the row's line, and with -v its steps and checks."""
        if self._verbosity < 0:
            return
        text = summary_line(row, self._look, name_cells=self._name_cells)
        if self._verbosity > 0 and (details := detail_lines(row, self._look)):
            text = f"{text}\n{details}"
        with self._lock:
            tell(self._out, text + "\n")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        """End."""


class _Running:
    """One row that is being played."""

    __slots__ = ("index", "plan", "since", "text")

    def __init__(self, plan: Plan, since: float) -> None:
        self.plan = plan
        self.since = since
        self.index = -1
        self.text = "starting"


class LiveProgress:
    """Lines that are redrawn while rows are running, above them the finished rows."""

    def __init__(
        self,
        finished: LineProgress,
        err: TextIO,
        *,
        ascii_only: bool = False,
        patience: float = PATIENCE,
        clock: Clock = time.monotonic,
    ) -> None:
        """Draw on `err`; begin after `patience` seconds."""
        self._finished = finished
        self._err = err
        self._ascii = ascii_only
        self._clock = clock
        self._patience = patience
        self._running: list[_Running] = []
        self._live: Live | None = None
        self._over = False
        self._timer: threading.Timer | None = None
        # Guards all of the above; rich calls `lines` from its own thread, so it must not be held while rich stops.
        self._lock = threading.RLock()
        self._drawing = threading.Lock()

    def row_started(self, plan: Plan) -> None:
        """Add a line."""
        with self._lock:
            self._running.append(_Running(plan, self._clock()))
        if plan.workload is not None:
            self.say(announcement(plan))

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Change the line of this row."""
        with self._lock:
            for running in reversed(self._running):
                if running.plan is plan:
                    running.index, running.text = index, text
                    return

    def op(self, plan: Plan, op: Op) -> None:
        """Change the line of a row when its workload begins: of others, a step is progress enough."""
        if op.f == "workload" and op.type == "invoke" and plan.workload is not None:
            self.step(plan, -1, f"workload of {count(len(plan.workload.acts), 'act')}")

    def say(self, text: str) -> None:
        """Write the lines above what is drawn."""
        with self._drawing:
            drawn = self._live is not None
            self._stop()
            self._finished.say(text)
            if drawn and not self._over:
                self._start()

    def row_finished(self, row: RowReport) -> None:
        """Take the line away and write the row above."""
        with self._lock:
            for running in self._running:
                if running.plan.name == row.name:
                    self._running.remove(running)
                    break
        if not self._finished.out.isatty():
            self._finished.row_finished(row)
            return
        with self._drawing:
            drawn = self._live is not None
            self._stop()
            self._finished.row_finished(row)
            if drawn and not self._over:
                self._start()

    def lines(self, columns: int) -> list[str]:
        """Return what is drawn now: `▶ latecomers 1.7 s  step 3/4 connect bob, chad`."""
        now = self._clock()
        with self._lock:
            rows = [(r.plan.name, r.plan.length, r.index, r.text, now - r.since) for r in self._running]
        hidden = len(rows) - LINES
        out = []
        for name, steps, index, text, seconds in rows[: LINES - 1] if hidden > 0 else rows:
            where = f"step {index + 1}/{steps} {text}" if index >= 0 else text
            out.append(clip(f"  ▶ {safe(name)} {seconds:.1f} s  {safe(where)}", columns - 1))
        if hidden > 0:
            out.append(f"  … {hidden + 1} more running")
        return [to_ascii(line) for line in out] if self._ascii else out

    def __enter__(self) -> Self:
        """Begin; draw when it takes longer than a moment."""
        self._timer = threading.Timer(self._patience, self._begin)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        with self._drawing:
            self._stop()

    def _begin(self) -> None:
        with self._drawing:
            if not self._over:
                self._start()

    def _start(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - rich takes 70 ms to import
        from rich.live import Live  # noqa: PLC0415 - see above

        class Visible(Console):
            """A console that never hides the cursor: whoever kills us would be left without one."""

            def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - as rich has it
                return False

        console = Visible(file=self._err, highlight=False, markup=False)
        self._live = Live(
            console=console,
            get_renderable=lambda: self._renderable(console.width),
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,  # results must reach standard output as they are
            redirect_stderr=False,
        )
        self._live.start()

    def _renderable(self, columns: int) -> Text:
        from rich.text import Text  # noqa: PLC0415 - see _start

        return Text("\n".join(self.lines(columns)), no_wrap=True, overflow="crop")

    def _stop(self) -> None:
        live: Any = self._live
        if live is not None:
            live.stop()
            self._live = None
