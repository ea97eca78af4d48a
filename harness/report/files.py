"""Reports to and from a run directory: the last lines of logs, and each report written whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.archive import last_lines
from harness.report import json_, junit
from harness.report.model import Invocation


def read_logs(directory: Path) -> Mapping[str, tuple[str, ...]]:
    """Return the last lines of every `<process>.log` in a folder; empty when there is no folder."""
    if not directory.is_dir():
        return {}
    return {path.stem: last_lines(path) for path in sorted(directory.glob("*.log"))}


#: File -> what is written to it.
REPORTERS: Mapping[str, Callable[[Invocation], bytes]] = {
    "report.json": lambda invocation: json_.render(invocation).encode(),
    "junit.xml": junit.render,
}


def write_reports(invocation: Invocation, directory: Path) -> None:
    """Write the reports for machines."""
    for name, render in REPORTERS.items():
        replace(directory / name, render(invocation))


def replace(path: Path, content: bytes) -> None:
    """Write a file; whoever reads it meanwhile sees the old one or the new one."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.replace(path)
