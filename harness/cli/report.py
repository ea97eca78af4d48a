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
from harness.cli import pages
from harness.cli.derive import derive, recall
from harness.cli.exit_codes import EPILOG, exit_code
from harness.cli.one_row import one_row
from harness.model.history import HistoryError
from harness.report.exports import EXPORTS
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
@click.option(
    "--format",
    "export",
    type=click.Choice(sorted(EXPORTS)),
    default=None,
    help="Print one scenario in this format instead, and write nothing: a Mermaid diagram, or a trace for Perfetto.",
)
@click.option("--open", "shows", is_flag=True, help="Open the page in a browser.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    directory: Path | None,
    history: Path | None,
    plan: Path | None,
    *,
    quiet: bool,
    verbose: bool,
    export: str | None,
    shows: bool,
    color: ColorFlag,
) -> None:
    """Judge a recorded run again, from its histories alone.

    DIRECTORY is the folder of a run, or of one scenario in it; without it, the latest run. Everything that
    follows from the record is written anew: verdicts.json, report.json, junit.xml, and index.html of every
    scenario and of all. Of a folder of runs, such as reports, it writes the index.html that leads to each.

    \b
    Examples:
      chatsim report
      chatsim report reports/latest/basic
      chatsim report --history mine.jsonl
      chatsim report --open
      chatsim report reports
      chatsim report reports/latest/basic --format trace > basic.json
    """
    if history is not None and directory is not None:
        raise click.UsageError("give a folder, or a history with --history, not both")
    if plan is not None and history is None:
        raise click.UsageError("--plan says what a --history is judged against; a folder has its own plan")
    if history is not None and (export is not None or shows):
        raise click.UsageError(
            "a --history has no page and no other format; it is judged, and that is printed"
        )
    directory = directory or Path("reports/latest")
    if export is not None:
        click.echo(_exported(directory, export), nl=False)
        return
    look = look_of(sys.stdout, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)
    if history is None and pages.holds_runs(directory):
        runs = pages.write_runs(directory)
        click.echo(f"page  {runs}")
        if shows:
            pages.show(runs)
        return
    rows = _derive(directory) if history is None else [_elsewhere(history, plan)]
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
    page = None
    if history is None:
        write_reports(report, directory)
        page = pages.write(report, directory)
        report = report._replace(page=str(page))
    click.echo((verdict_line if quiet else ending)(report, look))
    if shows and page is not None:
        pages.show(page)
    raise click.exceptions.Exit(int(exit_code(row.status for row in rows)))


def _elsewhere(history: Path, plan: Path | None) -> RowReport:
    from harness.cli.elsewhere import judged  # noqa: PLC0415 - few reports are of such

    try:
        return judged(history, plan)
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault


def _exported(directory: Path, name: str) -> str:
    """Return the only row of a folder in a format of somebody else's."""
    folder = one_row(directory)
    try:
        return EXPORTS[name](recall(folder), archive.read_ops(folder))
    except (ArchiveError, HistoryError, UnicodeDecodeError) as fault:
        raise click.UsageError(str(fault)) from fault


def _derive(directory: Path) -> list[RowReport]:
    """Judge the rows of a folder anew; one that cannot be read leaves a page that says so, and code 2."""
    rows, faults = [], []
    try:
        folders = archive.rows(directory)
    except ArchiveError as fault:
        raise click.UsageError(str(fault)) from fault
    for folder in folders:
        try:
            rows.append(derive(folder))
        except (ArchiveError, HistoryError, UnicodeDecodeError) as fault:
            page = pages.write_partial(folder, str(fault))
            faults.append(f"{fault}\n  what can be read of it is in {page}")
    if faults:
        raise click.UsageError("\n".join(faults))
    return rows


def _files(rows: Sequence[RowReport]) -> set[str]:
    return {row.plan.file for row in rows}
