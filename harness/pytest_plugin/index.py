"""One index over the rows of a session, whichever of its processes played them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness import archive
from harness.cli import pages
from harness.cli.derive import recall, salvage
from harness.cli.troubles import remedy, told
from harness.model.history import HistoryError
from harness.model.verdict import RunStatus
from harness.report.files import summarise, write_reports
from harness.report.github import annotation_lines
from harness.report.look import look_of, step_summary, wants_annotations
from harness.report.model import Invocation, RowReport
from harness.report.terminal import verdict_line


def conclude(shared: dict[str, Any], terminal: Any) -> None:
    """Write report.json and junit.xml, point `latest` at them, and say so on pytest's terminal.

    Args:
        shared: what the processes of the session have in common.
        terminal: pytest's terminal reporter.
    """
    folder = Path(shared["folder"])
    try:
        found = archive.rows(folder)
    except archive.ArchiveError:
        return  # the first row was broken off before it began
    rows = tuple(row for each in found if (row := _row(each, terminal)) is not None)
    if not rows:
        return
    try:
        _write(shared, folder, rows, terminal)
    except OSError as fault:
        help_ = f"; {remedy(fault)}" if remedy(fault) else ""
        pytest.exit(f"the report could not be written: {told(fault)}{help_}", pytest.ExitCode.INTERNAL_ERROR)


def _row(row: Path, terminal: Any) -> RowReport | None:
    """Return the report of a row, with what can be read of one that is damaged; None when nothing can."""
    shown = os.path.relpath(row)
    try:
        return recall(row, shown=shown)
    except (archive.ArchiveError, HistoryError) as fault:
        why = str(fault)
    try:
        return salvage(row, why, shown=shown)
    except archive.ArchiveError as hopeless:
        terminal.write_line(f"{hopeless}. Nothing of this row can be shown")
        return None


def _write(shared: dict[str, Any], folder: Path, rows: tuple[RowReport, ...], terminal: Any) -> None:
    report = Invocation(
        rows=rows,
        command=tuple(shared["command"]),
        seed=shared["seed"],
        directory=os.path.relpath(folder),
        duration_ns=_span(rows),
        started_at=shared["started_at"],
    )
    write_reports(report, folder)
    page = pages.write(report, folder, "failed")
    report = report._replace(page=str(page or ""))
    if fault := archive.point_latest(folder):
        terminal.write_line(fault)
    for fault in summarise(report, added_to=step_summary(os.environ)):
        terminal.write_line(fault)
    good = report.status in (RunStatus.PASS, RunStatus.SKIPPED)
    terminal.section("chatsim", sep="=", green=good, red=not good)
    for line in _lines(report):
        terminal.write_line(line)


def _span(rows: Sequence[RowReport]) -> int:
    """Return ns from the first row's beginning to the last one's end; other tests may have run before and after."""
    begun = [datetime.fromisoformat(row.started_at).timestamp() for row in rows if row.started_at]
    ended = [
        datetime.fromisoformat(r.started_at).timestamp() + r.duration_ns / 1e9 for r in rows if r.started_at
    ]
    return int((max(ended) - min(begun)) * 1e9) if begun else 0


def _lines(report: Invocation) -> Iterator[str]:
    yield verdict_line(report, look_of(sys.stdout, {}, flag="never", columns=100))
    yield f"report  {report.directory}"
    if report.page:
        yield f"page    {report.page}"
    if wants_annotations(os.environ):
        for row in report.rows:
            yield from annotation_lines(row)
