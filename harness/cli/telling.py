"""How a report is told: line by line to a person, as events to a program, as a summary to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import click

from harness.cli.exit_codes import ExitCode, exit_code
from harness.cli.sight import look_at
from harness.report.files import summarise
from harness.report.look import ColorFlag
from harness.report.model import Invocation, RowReport, span_ns
from harness.report.progress import Progress, open_progress
from harness.report.terminal import ending, name_cells, verdict_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """The ways in which one report is told."""

    verbosity: int = 0
    """-1 for the verdict line only, 1 for every step and check."""
    color: ColorFlag = "auto"
    events: bool = False
    """Whether standard output gets JSON Lines, and people read standard error."""
    summary: Path | None = None
    """Where a summary in Markdown goes."""

    def tell(self, report: Invocation, lacking: Sequence[str] = (), *, damaged: bool = False) -> ExitCode:
        """Tell it, and return how the command ends.

        Args:
            report: What is told.
            lacking: A sentence for each row that is not whole.
            damaged: Whether that is so because the input was wrong.
        """
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


def gathered(rows: Sequence[RowReport], directory: str) -> Invocation:
    """Return the report of rows that were played once, in the order they were; `directory` is where they are from."""
    rows = sorted(rows, key=lambda row: row.started_at or "~")  # who never began comes last
    first = rows[0]
    words = tuple(map(str, first.env.get("command") or ()))
    return Invocation(
        rows=tuple(rows),
        command=words,
        paths=_paths(words, {row.plan.file for row in rows}),
        seed=first.seed,
        directory=directory,
        duration_ns=span_ns(rows),
        started_at=first.started_at,
    )


def _paths(words: Sequence[str], files: Collection[str]) -> tuple[str, ...]:
    """Return the words of a command that name scenarios: these files, their folders, and files of other rows.

    What follows an option may be its value, and is a path only when it is one of these files.
    """
    folders = {folder for file in files for folder in PurePath(file).parents}
    return tuple(
        word
        for before, word in zip(("", *words), words, strict=False)
        if word in files
        or (
            not before.startswith("-")
            and (PurePath(word).suffix in (".yaml", ".yml") or PurePath(word) in folders)
        )
    )
