"""Progress: nothing but finished rows where nobody watches, and nothing left on a terminal when it is over."""

from __future__ import annotations

import io
import subprocess
import sys
import threading

import pytest

from harness.report.look import Look
from harness.report.progress import LineProgress, LiveProgress, open_progress
from harness.report.terminal import detail_lines, summary_line

LOOK = Look()


class Screen(io.StringIO):
    """A terminal that remembers, and tells when something was drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "▶" in text:
            self.drawn.set()
        return super().write(text)


def test_elsewhere_there_is_one_line_a_row(tell):
    out, err = io.StringIO(), io.StringIO()
    row = tell("passes")
    with open_progress(out, err, {}, look=LOOK) as progress:
        progress.row_started(row.plan)
        progress.step(row.plan, 0, "connect alice")
        progress.row_finished(row)
    assert out.getvalue() == summary_line(row) + "\n"
    assert err.getvalue() == ""


def test_quiet_says_nothing_and_verbose_tells_every_step(tell):
    row = tell("passes")
    for verbosity, text in ((-1, ""), (1, f"{summary_line(row)}\n{detail_lines(row)}\n")):
        out = io.StringIO()
        with open_progress(out, Screen(), {"CI": "1"}, look=LOOK, verbosity=verbosity) as progress:
            progress.row_finished(row)
        assert out.getvalue() == text


@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_cannot_redraw_gets_lines(environ):
    assert isinstance(open_progress(Screen(), Screen(), environ, look=LOOK), LineProgress)
    assert isinstance(open_progress(Screen(), Screen(), {}, look=LOOK), LiveProgress)


def live(out, err, **more):
    return LiveProgress(LineProgress(out, look=LOOK), err, clock=lambda: 1.7, **more)


def test_the_lines_that_are_redrawn(tell):
    row = tell("passes")
    progress = live(io.StringIO(), Screen())
    progress.row_started(row.plan)
    assert progress.lines(80) == ["  ▶ latecomers 0.0 s  starting"]
    progress.step(row.plan, 2, "expect hello\x1b[2J")
    assert progress.lines(80) == [r"  ▶ latecomers 0.0 s  step 3/4 expect hello\x1b[2J"]
    assert progress.lines(20) == ["  ▶ latecomers 0.0…"]


def test_at_most_eight_lines(story):
    progress = live(io.StringIO(), Screen())
    for n in range(30):
        progress.row_started(story(name=f"row-{n}").plan)
    lines = progress.lines(80)
    assert len(lines) == 8
    assert lines[-1] == "  … 23 more running"


def test_drawing_on_a_terminal_and_leaving_it_clean(tell):
    row = tell("passes")
    out, err = io.StringIO(), Screen()
    with live(out, err, patience=0) as progress:
        progress.row_started(row.plan)
        assert err.drawn.wait(10), "nothing was drawn within 10 s"
        progress.row_finished(row)
        assert progress.lines(80) == []
    assert out.getvalue() == summary_line(row) + "\n"
    assert "latecomers" in err.getvalue()
    assert err.getvalue().endswith("\x1b[2K")  # the line is wiped
    assert "\x1b[?25l" not in err.getvalue()  # and the cursor was never hidden


def test_results_on_the_same_terminal_are_not_drawn_over(tell):
    row = tell("passes")
    screen = Screen()
    with live(screen, screen, patience=0) as progress:
        progress.row_started(row.plan)
        assert screen.drawn.wait(10), "nothing was drawn within 10 s"
        progress.row_finished(row)
    text = screen.getvalue()
    before, after = text.split(summary_line(row) + "\n")
    assert before.endswith("\x1b[2K")  # drawing had stopped, the line was wiped
    assert "latecomers" not in after


def test_what_is_over_at_once_is_not_drawn(tell):
    err = Screen()
    with live(io.StringIO(), err, patience=60) as progress:
        progress.row_started(tell("passes").plan)
    assert err.getvalue() == ""


def test_it_ends_cleanly_when_something_goes_wrong(tell):
    err = Screen()

    def break_off() -> None:
        with live(io.StringIO(), err, patience=0) as progress:
            progress.row_started(tell("passes").plan)
            assert err.drawn.wait(10), "nothing was drawn within 10 s"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert err.getvalue().endswith("\x1b[2K")


HEAVY = """
import io, sys
from harness.report import files, github, json_, junit, progress, terminal
from harness.report.look import Look
with progress.open_progress(io.StringIO(), io.StringIO(), {}, look=Look()):
    pass
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"rich", "junitparser", "yaml", "asyncio"}))
"""


def test_importing_the_reports_imports_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", HEAVY], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
