"""What the exit code of `chatsim` says. The codes and their rank are part of the interface."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from harness.model.verdict import RunStatus


class ExitCode(IntEnum):
    """Exit codes of every command."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    COULD_NOT_RUN = 3
    UNKNOWN = 4
    NOTHING = 5
    INTERRUPTED = 130


#: What each says, for the manual.
MEANINGS = {
    ExitCode.PASSED: "Everything that was judged passed. Rows that were skipped are left aside, unless `--no-skip`.",
    ExitCode.FAILED: "An expectation or an invariant was violated, or a process ended unasked in mid-run. "
    "Of `selftest`: a verdict was another one than declared; of `check --driver`: a rule is broken.",
    ExitCode.USAGE: "Wrong usage, or an invalid scenario file or record: nothing was started.",
    ExitCode.COULD_NOT_RUN: "The server was never ready, a driver is unusable, or chatsim itself broke.",
    ExitCode.UNKNOWN: "Something that a judgement needs is missing; the report says what. This is no pass.",
    ExitCode.NOTHING: "Nothing was selected, or everything was skipped.",
    ExitCode.INTERRUPTED: "Interrupted by Ctrl-C or SIGTERM; what was recorded was judged.",
}

#: Highest rank first: the code of several rows is that of the first in this list that one of them has.
RANK = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.COULD_NOT_RUN,
    ExitCode.FAILED,
    ExitCode.UNKNOWN,
    ExitCode.PASSED,
    ExitCode.NOTHING,
)

_OF_STATUS = {
    RunStatus.PASS: ExitCode.PASSED,
    RunStatus.FAIL: ExitCode.FAILED,
    RunStatus.UNKNOWN: ExitCode.UNKNOWN,
    RunStatus.ERROR: ExitCode.COULD_NOT_RUN,
    RunStatus.SKIPPED: ExitCode.NOTHING,
    RunStatus.INTERRUPTED: ExitCode.INTERRUPTED,
}

EPILOG = (
    "Exit codes: 0 passed · 1 failed · 2 wrong usage or file · 3 could not run · 4 could not be judged · "
    "5 nothing to run · 130 interrupted."
)


def exit_code(statuses: Iterable[RunStatus], *, no_skip: bool = False, broke: bool = False) -> ExitCode:
    """Return the code for rows that ended so; `NOTHING` when there are none, or all were skipped.

    Args:
        statuses: how each row ended.
        no_skip: whether a skipped row counts as a failure.
        broke: whether chatsim itself did something that it must not.
    """
    ended = set(statuses)
    codes = {_OF_STATUS[status] for status in ended}
    if no_skip and RunStatus.SKIPPED in ended:
        codes.add(ExitCode.FAILED)
    if broke:
        codes.add(ExitCode.COULD_NOT_RUN)
    return next((code for code in RANK if code in codes), ExitCode.NOTHING)
