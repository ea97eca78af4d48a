"""Pages of a command: which are written, where the one to look at is, and showing it.

The pages and their template library are imported when the first is written: a run that passes writes none, and does
not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from harness import archive
from harness.archive import ArchiveError
from harness.model.verdict import RunStatus
from harness.report.matrix import GOOD
from harness.report.model import Invocation, RowReport

Wanted = Literal["failed", "all", "none"]


def write(invocation: Invocation, directory: Path, wanted: Wanted = "all") -> Path | None:
    """Write the pages of a command; return the one to look at, or None when none was wanted.

    Args:
        invocation: What was played. The `directory` of each row is where its record is.
        directory: The folder of the invocation, or of its only row.
        wanted: Pages of which rows. With the page of one row comes the index of all.
    """
    rows = [row for row in invocation.rows if _wants(row, wanted)]
    if not rows:
        return None
    from harness.report.html.files import write_index, write_row_page  # noqa: PLC0415 - see the module's docstring

    written = [write_row_page(row, Path(row.directory)) for row in rows]
    if Path(rows[0].directory) == directory:
        return written[0]
    index = write_gallery(invocation.rows, directory) or write_index(invocation, directory)
    return _to_look_at(rows, written, index)


def write_gallery(rows: Sequence[RowReport], directory: Path) -> Path | None:
    """Write and return the page that leads to rows against systems of the gallery; None when they are not."""
    if not all(isinstance(row.env.get("system"), dict) for row in rows):
        return None
    from harness.report.html.files import write_gallery as write_page  # noqa: PLC0415 - see the module's docstring

    shown = [(row, str(row.env["system"].get("name")), str(row.env["system"].get("does"))) for row in rows]
    return write_page(sorted(shown, key=lambda each: (each[1] == GOOD, each[0].name)), directory)


def _wants(row: RowReport, wanted: Wanted) -> bool:
    return wanted == "all" or (wanted == "failed" and row.status not in (RunStatus.PASS, RunStatus.SKIPPED))


def _to_look_at(rows: Sequence[RowReport], written: Sequence[Path], index: Path) -> Path:
    """Return the page of the only row that did not pass, else the index."""
    bad = [page for row, page in zip(rows, written, strict=True) if _wants(row, "failed")]
    only = bad or written
    return only[0] if len(only) == 1 else index


def write_nothing(folder: Path, why: str) -> Path:
    """Write and return the page of a row of which nothing can be shown."""
    from harness.report.html.files import write_nothing as write_page  # noqa: PLC0415 - see the module's docstring

    return write_page(folder, why)


def holds_runs(directory: Path) -> bool:
    """Return whether a folder is no run itself, but has runs in it."""
    try:
        archive.rows(directory)
    except ArchiveError:
        return any(directory.glob("*/report.json")) or any(directory.glob("*/*/plan.json"))
    return False


def write_runs(root: Path) -> Path:
    """Write the page that leads to every run in a folder, and return it."""
    from harness.report.html.files import write_runs as write_all  # noqa: PLC0415 - see the module's docstring

    return write_all(root)


def show(page: Path) -> None:
    """Open a page in the browser of whoever sits there."""
    import webbrowser  # noqa: PLC0415 - few ask for it

    webbrowser.open(page.resolve().as_uri())
