"""Pages to disk: `index.html` of a row, of all rows of a command, and of a folder of runs.

    reports/index.html                     every run in it
    reports/20261122T173045Z-1f3a9c/
        index.html                         every row of one command
        basic/index.html                   one row

Invariant: whatever a folder holds, its page is written and says what is missing; it is never blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness import archive
from harness.archive import ArchiveError, replace
from harness.model.verdict import RunStatus
from harness.report.html.page import compose
from harness.report.html.render import render_list, render_page
from harness.report.model import Invocation, RowReport
from harness.report.terminal import again, verdict_line
from harness.report.text import clip, count, safe, seconds

#: Lines of each log that are looked at; how many are shown is decided with the page.
_LINES = 400
NAME = "index.html"
#: What a row's folder holds beside its page.
_RECORD = ("history.jsonl", "plan.json", "verdicts.json", "env.json", "logs/")


def write_row_page(row: RowReport, folder: Path) -> Path:
    """Write the page of a row into its folder and return it; what its folder lacks is said.

    Args:
        row: Its report.
        folder: Where its history and its logs are.
    """
    ops = archive.Salvage(folder)
    page = compose(row, ops, _logs(folder))
    told = f"{ops.fault}." if ops.fault else ""
    record = tuple(name for name in _RECORD if (folder / name).exists())
    replace(folder / NAME, render_page(page._replace(partial=safe(told), record=record)).encode())
    return folder / NAME


def write_nothing(folder: Path, why: str) -> Path:
    """Write the page of a folder of which nothing can be read, and return it."""
    content = render_list(folder.name, (), (), status=RunStatus.UNKNOWN.value, told=safe(f"{why}."))
    replace(folder / NAME, content.encode())
    return folder / NAME


def write_index(invocation: Invocation, directory: Path) -> Path:
    """Write the page that leads to the pages of all rows of a command, and return it."""
    items = [_row_item(row, directory) for row in invocation.rows]
    bad = [row for row in invocation.rows if row.status not in (RunStatus.PASS, RunStatus.SKIPPED)]
    status = invocation.status
    content = render_list(
        Path(invocation.directory or directory).name,
        ("ended", "scenario", "time", "messages", "clients", "checks passed", "why"),
        items,
        status=status.value if status else "",
        told=verdict_line(invocation),
        again=again(invocation, bad),
    )
    replace(directory / NAME, content.encode())
    return directory / NAME


def write_runs(root: Path) -> Path:
    """Write the page that leads to every run below a folder, newest first, and return it.

    Raises:
        ArchiveError: no run is below it.
    """
    items = []
    for folder in sorted(runs_in(root), key=lambda path: path.name, reverse=True):
        try:
            items.append(_run_item(folder, archive.read_json(folder / "report.json")))
        except (ArchiveError, KeyError, TypeError, AttributeError):
            told = "its report.json is missing or damaged; `chatsim report` makes it again"
            items.append(
                {"status": "unknown", "name": safe(folder.name), "link": "", "cells": ["", "", "", told]}
            )
    if not items:
        raise ArchiveError(f"{root}: no run is here, nor one or two folders below")
    columns = ("ended", "run", "begun", "time", "rows", "command")
    replace(root / NAME, render_list("Runs", columns, items, told=count(len(items), "run")).encode())
    return root / NAME


def write_gallery(shown: Sequence[tuple[RowReport, str, str]], directory: Path) -> Path:
    """Write the page that leads to runs against broken systems, and return it.

    Args:
        shown: Of each run its report, the system, and what is wrong with that.
        directory: Where the runs are, each in a folder of its own that has its page.
    """
    items = [
        {
            "status": row.status.value,
            "name": safe(system),
            "link": f"{quote(Path(row.directory).name)}/{NAME}",
            "cells": [
                safe(does),
                safe(row.plan.title),
                safe(", ".join(sorted({violation.kind for violation in row.violations}))),
            ],
        }
        for row, system, does in shown
    ]
    told = "Real reports: conversations played against systems that are broken on purpose, and against a good one."
    columns = ("ended", "system", "what it does", "scenario", "convicted of")
    replace(directory / NAME, render_list("Gallery", columns, items, told=told).encode())
    return directory / NAME


def runs_in(root: Path) -> list[Path]:
    """Return the folders of runs directly below a folder; links such as `latest` are left out."""
    return [
        path
        for path in root.iterdir()
        if path.is_dir()
        and not path.is_symlink()
        and ((path / "report.json").is_file() or any(path.glob("*/plan.json")))
    ]


def _logs(folder: Path) -> Mapping[str, tuple[str, ...]]:
    return {path.stem: archive.last_lines(path, _LINES) for path in sorted((folder / "logs").glob("*.log"))}


def _row_item(row: RowReport, directory: Path) -> dict[str, Any]:
    folder = Path(row.directory)
    here = folder.name if (directory / folder.name / NAME).is_file() else ""
    why = row.reason if row.status is not RunStatus.PASS else ""
    return {
        "status": row.status.value,
        "name": safe(row.name),
        "link": f"{quote(here)}/{NAME}" if here else "",
        "cells": [
            seconds(row.duration_ns),
            str(row.messages_sent),
            str(len(row.plan.clients)),
            f"{row.checks_passed} of {row.checks}",
            clip(safe(why), 300),
        ],
    }


def _run_item(folder: Path, report: Mapping[str, Any]) -> dict[str, Any]:
    totals = ", ".join(f"{number} {status}" for status, number in report["totals"].items() if number)
    return {
        "status": safe(str(report["status"] or "unknown")),
        "name": safe(folder.name),
        "link": f"{quote(folder.name)}/{NAME}" if (folder / NAME).is_file() else "",
        "cells": [
            safe(f"{str(report['started_at'])[:19].replace('T', ' ')} UTC") if report["started_at"] else "",
            seconds(int(report["duration_ns"])),
            safe(totals),
            clip(safe(" ".join(map(str, report["command"]))), 200),
        ],
    }
