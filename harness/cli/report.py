"""`chatsim report`: judge a recorded run again and make its reports again, without starting anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from harness import archive
from harness.archive import ArchiveError
from harness.cli import pages
from harness.cli.derive import derive, recall, salvage
from harness.cli.exit_codes import EPILOG, ExitCode, exit_code
from harness.cli.one_row import one_row
from harness.model.history import HistoryError
from harness.report.exports import EXPORTS
from harness.report.files import summarise, write_reports
from harness.report.look import ColorFlag, Look, look_of
from harness.report.model import Invocation, RowReport
from harness.report.progress import Progress, open_progress
from harness.report.terminal import ending, name_cells, verdict_line


@click.command("report", epilog=EPILOG)
@click.argument(
    "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False, default=None
)
@click.option(
    "--history",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="A history that another program recorded; see docs/history.md. Nothing is written without --reports.",
)
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="With --history: the plan.json it is judged against.",
)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="With --history: where it gets the folder of a run, with report.json, junit.xml and its page.",
)
@click.option(
    "--compare",
    "two",
    type=click.Path(path_type=Path),
    nargs=2,
    default=None,
    metavar="A B",
    help="Two runs: show what each member saw differently. Judges and writes nothing.",
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
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write a summary in Markdown to this file, for a change.",
)
@click.option("--open", "shows", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--json", "events", is_flag=True, help="Print JSON Lines, one an event; people read standard error."
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    directory: Path | None,
    history: Path | None,
    plan: Path | None,
    reports: Path | None,
    two: tuple[Path, Path] | None,
    *,
    quiet: bool,
    verbose: bool,
    export: str | None,
    summary: Path | None,
    shows: bool,
    events: bool,
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
      chatsim report --history mine.jsonl --reports reports
      chatsim report --open
      chatsim report reports
      chatsim report reports/latest/basic --format trace > basic.json
      chatsim report --compare reports/20261122T173045Z-1f3a9c reports/latest
    """
    if two is not None:
        if directory is not None or history is not None or export is not None or shows:
            raise click.UsageError("--compare takes two runs and nothing else")
        from harness.cli.compare import compare_runs  # noqa: PLC0415 - few reports compare

        raise click.exceptions.Exit(int(compare_runs(*two, _look(sys.stdout, color))))
    if history is not None and directory is not None:
        raise click.UsageError("give a folder, or a history with --history, not both")
    if plan is not None and history is None:
        raise click.UsageError("--plan says what a --history is judged against; a folder has its own plan")
    if reports is not None and history is None:
        raise click.UsageError(
            "--reports says where a --history gets a folder; a folder is written anew in place"
        )
    if history is not None and reports is None and (export is not None or shows):
        raise click.UsageError(
            "a --history has no page and no other format without --reports; it is judged, and that is printed"
        )
    if history is not None and reports is not None:
        directory, history = _kept(history, plan, reports), None
    directory = directory or Path("reports/latest")
    if export is not None:
        click.echo(_exported(directory, export), nl=False)
        return
    people = sys.stderr if events else sys.stdout
    look = _look(people, color)
    if history is None and pages.holds_runs(directory):
        runs = pages.write_runs(directory)
        click.echo(f"page  {runs}", err=events)
        if shows:
            pages.show(runs)
        return
    rows, lacking, damaged = (
        _derive(directory) if history is None else ([_elsewhere(history, plan)], [], False)
    )
    progress: Progress = open_progress(
        people,
        sys.stderr,
        os.environ,
        look=look,
        verbosity=1 if verbose else -1 if quiet else 0,
        name_cells=name_cells((row.name for row in rows), look),
    )
    told = None
    if events:
        from harness.report.events import Events  # noqa: PLC0415 - few reports are read by programs

        progress = told = Events(progress, sys.stdout)
        told.run_started(
            [row.plan for row in rows],
            command=("chatsim", *sys.argv[1:]),
            seed=rows[0].seed,
            directory=str(history or directory),
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
    for fault in summarise(report, file=summary):
        click.echo(fault, err=True)
    for sentence in lacking:
        click.echo(f"partial: {sentence}", err=True)
    click.echo((verdict_line if quiet else ending)(report, look), err=events)
    code = ExitCode.USAGE if damaged else exit_code(row.status for row in rows)
    if told is not None:
        told.run_finished(report, code)
    if shows and page is not None:
        pages.show(page)
    raise click.exceptions.Exit(int(code))


def _look(stream: TextIO, color: ColorFlag) -> Look:
    return look_of(stream, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)


def _elsewhere(history: Path, plan: Path | None) -> RowReport:
    from harness.cli.elsewhere import judged  # noqa: PLC0415 - few reports are of such

    try:
        return judged(history, plan)
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault


def _kept(history: Path, plan: Path | None, reports: Path) -> Path:
    from harness.cli.elsewhere import keep  # noqa: PLC0415 - few reports are of such

    try:
        return keep(history, plan, reports)
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault


def _exported(directory: Path, name: str) -> str:
    """Return the only row of a folder in a format of somebody else's."""
    folder = one_row(directory)
    try:
        return EXPORTS[name](recall(folder), archive.read_ops(folder))
    except (ArchiveError, HistoryError) as fault:
        raise click.UsageError(str(fault)) from fault


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


def _files(rows: Sequence[RowReport]) -> set[str]:
    return {row.plan.file for row in rows}
