"""Rows judged anew from their record, and their reports written anew."""

from __future__ import annotations

from pathlib import Path

import click

from harness.archive import ArchiveError, unfinished
from harness.cli import pages
from harness.cli.derive import derive, salvage
from harness.cli.exit_codes import ExitCode
from harness.cli.recorded import rows as rows_of
from harness.cli.telling import Telling, gathered
from harness.model.history import HistoryError
from harness.report.files import write_reports
from harness.report.model import RowReport


def judge_again(directory: Path, telling: Telling, *, shows: bool = False) -> ExitCode:
    """Judge the rows of a folder, write all that follows from them, and tell it.

    Args:
        directory: of a run, or of one scenario in it.
        telling: how.
        shows: whether the page is opened in a browser.

    Raises:
        click.UsageError: no run is there, nothing of it can be shown, or nothing can be written there.
    """
    try:
        rows, lacking, damaged = _derive(directory)
        report = gathered(rows, str(directory))
        write_reports(report, directory)
        page = pages.write(report, directory)
    except OSError as fault:
        raise click.UsageError(
            f"cannot write to {directory}: {fault.strerror}; copy it to where you may write, and judge the copy"
        ) from fault
    code = telling.tell(report._replace(page=str(page)), lacking, damaged=damaged)
    if shows and page is not None:
        pages.show(page)
    return code


def _derive(directory: Path) -> tuple[list[RowReport], list[str], bool]:
    """Judge the rows of a folder anew; one that is still being written, as far as it goes.

    Returns:
        The rows, with what can be read of those that cannot be judged; a sentence for each that is not whole; and
        whether any is damaged, which is wrong input.

    Raises:
        click.UsageError: no run is there, or nothing of it can be shown.
    """
    rows, lacking, damaged = [], [], False
    for folder in rows_of(directory):
        if growing := unfinished(folder):
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
