"""Reports to and from a run directory: the last lines of logs, and report.json and junit.xml written whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.report import json_, junit
from harness.report.model import Invocation

#: How much of a log's end is looked at, in bytes, and how many lines of it are kept.
_TAIL = 16_384
_LINES = 20


def read_logs(directory: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the last lines of every `<process>.log` in a folder; empty when there is no folder."""
    if not directory.is_dir():
        return {}
    return {path.stem: last_lines(path) for path in sorted(directory.glob("*.log"))}


def last_lines(path: Path) -> tuple[str, ...]:
    """Return the last lines of a log, oldest first; bytes that are not UTF-8 are replaced."""
    with path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(0, size - _TAIL))
        lines = log.read().decode("utf-8", "replace").splitlines()
    if size > _TAIL and len(lines) > 1:
        del lines[0]  # it begins somewhere in its middle
    return tuple(lines[-_LINES:])


def write_reports(invocation: Invocation, directory: Path) -> None:
    """Write report.json and junit.xml; whoever reads them meanwhile sees the old ones or the new ones."""
    for name, content in (
        ("report.json", json_.render(invocation).encode()),
        ("junit.xml", junit.render(invocation)),
    ):
        new = directory / f".{name}.new"
        new.write_bytes(content)
        new.replace(directory / name)
