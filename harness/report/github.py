"""Annotations for GitHub Actions: a failure shown at its line of the scenario, in the page of a change."""

from __future__ import annotations

from harness.model.verdict import RunStatus
from harness.report.model import RowReport
from harness.report.text import safe

#: GitHub shows ten of a kind for a step.
_LIMIT = 10


def annotation_lines(row: RowReport) -> list[str]:
    """Return `::error file=…,line=…::sentence` lines for a row that did not pass."""
    if row.status in (RunStatus.PASS, RunStatus.SKIPPED):
        return []
    level = "warning" if row.status is RunStatus.UNKNOWN else "error"
    out = []
    for violation in row.violations[:_LIMIT]:
        span = row.span(violation.pointers[0]) if violation.pointers else None
        out.append(_line(level, row.plan.file, span.line if span else None, violation.sentence))
    return out or [_line(level, row.plan.file, None, f"{row.name}: {row.reason or row.status}")]


def _line(level: str, file: str, line: int | None, sentence: str) -> str:
    where = f"file={_property(file)}" + (f",line={line}" if line else "")
    return f"::{level} {where}::{_data(safe(sentence))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
