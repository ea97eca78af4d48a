"""Scenario files as test files, their rows as tests."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

from harness.keeper.handle import KeeperError
from harness.model.plan import Plan
from harness.model.verdict import RunStatus
from harness.pytest_plugin import COMPANY, SHARED
from harness.pytest_plugin.company import Company
from harness.report.failure import failure_block
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.terminal import again_line
from harness.report.typed import typed
from harness.run.settings import Settings, parse_speed
from harness.source.diagnostic import closing_line, render
from harness.source.loader import load

_LOOK = Look(width=100)


class ScenarioWarning(pytest.PytestWarning):
    """A statement in a scenario that is played all the same: nobody can fulfil it, or nobody needs it."""


class InvalidScenarioError(Exception):
    """A file with faults; the text is all of them, as `chatsim check` shows them."""


class NotPassedError(Exception):
    """A row that did not pass: `str()` is one sentence, `block` all there is to say."""

    def __init__(self, sentence: str, block: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.block = block
        self.line = line


class ScenarioFile(pytest.File):
    """One file; each of its rows is a test."""

    def collect(self) -> Iterable[ScenarioItem]:
        """Yield the rows, or raise all faults of the file."""
        loaded = load(
            [os.path.relpath(self.path)],
            seed=self.config.getoption("--chatsim-seed"),
            drawn_seed=self.config.stash[SHARED]["seed"],
        )
        said = render(loaded.diagnostics, color=False, sources=loaded.sources)
        if loaded.failed:
            raise InvalidScenarioError(f"{said}\n{closing_line(loaded.diagnostics)}")
        if loaded.diagnostics:
            self.warn(ScenarioWarning(said))
        decide = self.config.getoption("--chatsim-limits") == "enforce"
        for each in loaded.plans:
            plan = dataclasses.replace(each, limits_decide=decide) if decide else each
            yield ScenarioItem.from_parent(self, name=plan.name, plan=plan)

    # Collector itself narrows what Node declares.
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]  # Collector itself narrows what Node declares
        """Return the diagnostics, without a traceback."""
        if isinstance(excinfo.value, InvalidScenarioError):
            text = str(excinfo.value)
            return _told(self.path, 1, text.rpartition("\n")[2], text)
        return super().repr_failure(excinfo)


class ScenarioItem(pytest.Item):
    """One row of a scenario."""

    chatsim_status: RunStatus | None = None
    """How its run ended; None before."""

    def __init__(self, *, plan: Plan, **more: Any) -> None:
        super().__init__(**more)
        self.plan = plan
        self.extra_keyword_matches.update(plan.tags)

    def runtest(self) -> None:
        """Play the row.

        Raises:
            NotPassedError: it failed, or could not be judged or run.
        """
        try:
            row = _company(self.config).play(self.plan)
        except (KeeperError, OSError) as fault:
            self.chatsim_status = RunStatus.ERROR
            raise NotPassedError(f"could not run: {fault}", str(fault)) from fault
        self.chatsim_status = row.status
        self.user_properties += [("chatsim.seed", row.seed), ("chatsim.directory", row.directory)]
        if row.status is RunStatus.SKIPPED and not self.config.getoption("--chatsim-no-skip"):
            raise pytest.skip.Exception(row.reason, _use_item_location=True)
        if row.status is not RunStatus.PASS:
            raise _not_passed(row, self.config.getoption("--chatsim-speed"))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure block, without a traceback."""
        if isinstance(excinfo.value, NotPassedError):
            return _told(self.path, excinfo.value.line, str(excinfo.value), excinfo.value.block)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int, str]:
        """Return where it stands and how it is called in headings."""
        return self.path, 0, self.name


def _company(config: pytest.Config) -> Company:
    company = config.stash.get(COMPANY, None)
    if company is None:
        settings = Settings(
            server=config.getoption("--chatsim-server"),
            driver=config.getoption("--chatsim-driver"),
            speed=parse_speed(config.getoption("--chatsim-speed")),
        )
        company = config.stash[COMPANY] = Company(settings, config.stash[SHARED])
    return company


def _not_passed(row: RowReport, speed: str) -> NotPassedError:
    violations = row.violations
    sentence = violations[0].sentence if violations else row.reason or f"the run ended {row.status}"
    words = {
        RunStatus.UNKNOWN: "unknown: ",
        RunStatus.ERROR: "could not run: ",
        RunStatus.SKIPPED: "skipped, and nothing may be: ",
        RunStatus.INTERRUPTED: "interrupted: ",
    }
    span = row.span(violations[0].pointers[0]) if violations and violations[0].pointers else None
    block = failure_block(row, _LOOK) or sentence
    closing = (
        f"  again      {again_line(row, speed)}\n  re-judge   {typed(['chatsim', 'report', row.directory])}"
    )
    return NotPassedError(
        words.get(row.status, "") + sentence, f"{block}\n\n{closing}", span.line if span else 1
    )


def _told(path: Path, line: int, sentence: str, text: str) -> ReprExceptionInfo:
    """Return text that pytest shows as it is, with a sentence for its short summary.

    The form is that of an exception, because no other one gets from a worker of pytest-xdist with its sentence.
    """
    entry = ReprEntryNative([f"{text}\n"])
    return ReprExceptionInfo(
        reprtraceback=ReprTraceback(reprentries=[entry], extraline=None, style="native"),
        reprcrash=ReprFileLocation(path=os.fspath(path), lineno=line, message=sentence),
    )
