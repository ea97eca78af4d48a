"""Reports to and from a run directory: the last lines of logs, and report.json and junit.xml written whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.archive import last_lines
from harness.report import json_, junit
from harness.report.model import Invocation


def read_logs(directory: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the last lines of every `<process>.log` in a folder; empty when there is no folder."""
    if not directory.is_dir():
        return {}
    return {path.stem: last_lines(path) for path in sorted(directory.glob("*.log"))}


def write_reports(invocation: Invocation, directory: Path) -> None:
    """Write report.json and junit.xml; whoever reads them meanwhile sees the old ones or the new ones."""
    for name, content in (
        ("report.json", json_.render(invocation).encode()),
        ("junit.xml", junit.render(invocation)),
    ):
        new = directory / f".{name}.new"
        new.write_bytes(content)
        new.replace(directory / name)
