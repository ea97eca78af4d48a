"""`chatsim report`: judge a recorded run again and make its reports again, without starting anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harness import archive
from harness.archive import ArchiveError
from harness.cli.derive import derive
from harness.cli.exit_codes import EPILOG, exit_code
from harness.model.history import HistoryError
from harness.report.files import write_reports
from harness.report.look import ColorFlag, look_of
from harness.report.model import Invocation, RowReport
from harness.report.progress import open_progress
from harness.report.terminal import ending, name_cells, verdict_line


@click.command("report", epilog=EPILOG)
@click.argument(
    "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False, default=None
)
@click.option(
    "--history",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A history that another program recorded; see docs/history.md. Nothing is written.",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="With --history: the plan.json it is judged against.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step and every check.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    directory: Path | None,
    history: Path | None,
    plan: Path | None,
    *,
    quiet: bool,
    verbose: bool,
    color: ColorFlag,
) -> None:
    """Judge a recorded run again, from its histories alone.

    DIRECTORY is the folder of a run, or of one scenario in it; without it, the latest run. Everything that
    follows from the record is written anew: verdicts.json, report.json, junit.xml.

    \b
    Examples:
      chatsim report
      chatsim report reports/latest/basic
      chatsim report --history mine.jsonl
    """
    if history is not None and directory is not None:
        raise click.UsageError("give a folder, or a history with --history, not both")
    if plan is not None and history is None:
        raise click.UsageError("--plan says what a --history is judged against; a folder has its own plan")
    directory = directory or Path("reports/latest")
    look = look_of(sys.stdout, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)
    try:
        if history is not None:
            rows = [_elsewhere(history, plan)]
        else:
            rows = [derive(folder) for folder in archive.rows(directory)]
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault
    progress = open_progress(
        sys.stdout,
        sys.stderr,
        os.environ,
        look=look,
        verbosity=1 if verbose else -1 if quiet else 0,
        name_cells=name_cells((row.name for row in rows), look),
    )
    with progress:
        for row in rows:
            progress.row_finished(row)
    env: dict[str, Any] = dict(rows[0].env)
    words: Sequence[str] = env.get("command") or ()
    report = Invocation(
        rows=tuple(rows),
        command=tuple(words),
        paths=tuple(word for word in words if word in _files(rows)),
        seed=rows[0].seed,
        directory=str(history or directory),
        started_at=rows[0].started_at,
    )
    if history is None:
        write_reports(report, directory)
    click.echo((verdict_line if quiet else ending)(report, look))
    raise click.exceptions.Exit(int(exit_code(row.status for row in rows)))


def _elsewhere(history: Path, plan: Path | None) -> RowReport:
    from harness.cli.elsewhere import judged  # noqa: PLC0415 - few reports are of such

    return judged(history, plan)


def _files(rows: Sequence[RowReport]) -> set[str]:
    return {row.plan.file for row in rows}
