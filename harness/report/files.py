"""Reports to and from a run directory: the last lines of logs, and each report written whole.

Reports are written when an invocation is over. Until then junit.xml holds the rows that have ended: who kills
chatsim leaves a valid file with what was known by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.archive import last_lines, replace
from harness.report import json_, junit
from harness.report.model import Invocation, RowReport


def read_logs(directory: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the last lines of every `<process>.log` in a folder; empty when there is no folder."""
    if not directory.is_dir():
        return {}
    return {path.stem: last_lines(path) for path in sorted(directory.glob("*.log"))}


class Growing:
    """The junit.xml of an invocation that goes on: valid at every moment, one suite longer with each row that ends.

    Args:
        invocation: what all rows have in common; its rows do not matter.
        directory: where the file is made.
    """

    def __init__(self, invocation: Invocation, directory: Path) -> None:
        self._invocation = invocation
        self._path = directory / "junit.xml"
        self._path.write_bytes(junit.EMPTY)
        self._end = len(junit.EMPTY) - len(junit.CLOSING)

    def add(self, row: RowReport) -> None:
        """Add a row that has ended."""
        suite = junit.render_suite(self._invocation, row)
        # One write from the closing tag on: there is no moment at which the file has none.
        fd = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, suite + junit.CLOSING, self._end)
        finally:
            os.close(fd)
        self._end += len(suite)


#: File -> what is written to it.
REPORTERS: Mapping[str, Callable[[Invocation], bytes]] = {
    "report.json": lambda invocation: json_.render(invocation).encode(),
    "junit.xml": junit.render,
}


def write_reports(invocation: Invocation, directory: Path) -> None:
    """Write the reports for machines."""
    for name, render in REPORTERS.items():
        replace(directory / name, render(invocation))


def summarise(invocation: Invocation, *, file: Path | None = None, added_to: str = "") -> list[str]:
    """Write the summary in Markdown; return a sentence for each file that could not be written.

    Args:
        invocation: What was played.
        file: Written anew, when it is wanted.
        added_to: A file of the CI system, to which it is added; empty when there is none.
    """
    if file is None and not added_to:
        return []
    from harness.report import markdown  # noqa: PLC0415 - few commands are summarised

    text = markdown.render(invocation)
    faults = []
    for path, mode in ((file, "w"), (Path(added_to) if added_to else None, "a")):
        if path is None:
            continue
        try:
            with path.open(mode, encoding="utf-8") as out:
                out.write(text)
        except OSError as fault:
            faults.append(f"no summary in {path}: {fault.strerror}")
    return faults
