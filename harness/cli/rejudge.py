"""The work of `chatsim report`: rows judged anew from their record, reports written anew, all of it told."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from harness import archive
from harness.archive import ArchiveError
from harness.cli import pages
from harness.cli.derive import derive, salvage
from harness.cli.exit_codes import ExitCode, exit_code
from harness.model.history import HistoryError
from harness.report.files import summarise, write_reports
from harness.report.look import ColorFlag, Look, look_of
from harness.report.model import Invocation, RowReport
from harness.report.progress import Progress, open_progress
from harness.report.terminal import ending, name_cells, verdict_line


def look_at(stream: TextIO, color: ColorFlag) -> Look:
    """Return the look that fits a stream of this terminal."""
    return look_of(stream, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How a report is told."""

    verbosity: int = 0
    """-1 for the verdict line only, 1 for every step and check."""
    color: ColorFlag = "auto"
    events: bool = False
    """Whether standard output gets JSON Lines, and people read standard error."""
    summary: Path | None = None
    """Where a summary in Markdown goes."""
    shows: bool = False
    """Whether the page is opened in a browser."""

    def judge_again(self, directory: Path) -> ExitCode:
        """Judge the rows of a folder, write all that follows from them, and tell it.

        Raises:
            click.UsageError: no run is there, or nothing of it can be shown.
        """
        rows, lacking, damaged = _derive(directory)
        report = _report(rows, str(directory))
        write_reports(report, directory)
        page = pages.write(report, directory)
        code = self._tell(report._replace(page=str(page)), lacking, damaged=damaged)
        if self.shows and page is not None:
            pages.show(page)
        return code

    def tell_one(self, row: RowReport, source: str) -> ExitCode:
        """Tell of a row that is in no folder of its own; `source` is where it is from."""
        return self._tell(_report([row], source))

    def _tell(self, report: Invocation, lacking: Sequence[str] = (), *, damaged: bool = False) -> ExitCode:
        people = sys.stderr if self.events else sys.stdout
        look = look_at(people, self.color)
        code = ExitCode.USAGE if damaged else exit_code(row.status for row in report.rows)
        progress: Progress = open_progress(
            people,
            sys.stderr,
            os.environ,
            look=look,
            verbosity=self.verbosity,
            name_cells=name_cells((row.name for row in report.rows), look),
        )
        told = None
        if self.events:
            from harness.report.events import Events  # noqa: PLC0415 - few reports are read by programs

            progress = told = Events(progress, sys.stdout)
            told.run_started(
                [row.plan for row in report.rows],
                command=("chatsim", *sys.argv[1:]),
                seed=report.seed,
                directory=report.directory,
            )
        with progress:
            for row in report.rows:
                progress.row_finished(row)
        for fault in summarise(report, file=self.summary):
            click.echo(fault, err=True)
        for sentence in lacking:
            click.echo(f"partial: {sentence}", err=True)
        click.echo((verdict_line if self.verbosity < 0 else ending)(report, look), err=self.events)
        if told is not None:
            told.run_finished(report, code)
        return code


def _report(rows: Sequence[RowReport], directory: str) -> Invocation:
    first = rows[0]
    words = tuple(map(str, first.env.get("command") or ()))
    files = {row.plan.file for row in rows}
    return Invocation(
        rows=tuple(rows),
        command=words,
        paths=tuple(word for word in words if word in files),
        seed=first.seed,
        directory=directory,
        started_at=first.started_at,
    )


def _derive(directory: Path) -> tuple[list[RowReport], list[str], bool]:
    """Judge the rows of a folder anew; one that is still being written, as far as it goes.

    Returns:
        The rows, with what can be read of those that cannot be judged; a sentence for each that is not whole; and
        whether any is damaged, which is wrong input.

    Raises:
        click.UsageError: no run is there, or nothing of it can be shown.
    """
    rows, lacking, damaged = [], [], False
    try:
        folders = archive.rows(directory)
    except ArchiveError as fault:
        raise click.UsageError(str(fault)) from fault
    for folder in folders:
        if growing := archive.unfinished(folder):
            lacking.append(growing)
        try:
            rows.append(derive(folder))
        except (ArchiveError, HistoryError) as fault:
            lacking.append(str(fault))
            damaged = True
            try:
                rows.append(salvage(folder, str(fault)))
            except ArchiveError as hopeless:
                page = pages.write_nothing(folder, str(hopeless))
                lacking[-1] = f"{hopeless}. Nothing of this row can be shown; {page} says so"
    if not rows:
        raise click.UsageError("\n".join(lacking))
    return rows, lacking, damaged
