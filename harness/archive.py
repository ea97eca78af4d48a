"""Runs on disk: one folder an invocation, one folder in it for each scenario row.

```
reports/20261122T173045Z-1f3a9c/     junit.xml  report.json
    basic/                           plan.json  history.jsonl  verdicts.json  env.json  logs/<process>.log
reports/latest -> 20261122T173045Z-1f3a9c
```

Invariants: a folder is made whole and under a name that nobody else has; `latest` is renamed into place; the
history is written by the run as it happens, everything else is derived from it and can be deleted.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.model.history import HistoryError, Op, read_history
from harness.model.plan import Plan

ENV_VERSION = 1
#: How much of a log's end is looked at, bytes.
LOG_END = 16_384


class ArchiveError(Exception):
    """A folder that is not a run, or cannot be read; the text names the file and says what to do."""


def create(root: Path, run: str, now: datetime | None = None) -> Path:
    """Make the folder of an invocation below `root` and return it."""
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    folder = root / f"{moment}-{run}"
    folder.mkdir(parents=True)
    return folder


def point_latest(folder: Path) -> str:
    """Let `latest` beside the folder mean this one; return why it does not, and what to do, empty when it does.

    Whatever stands there and is no link of ours stays: a copy of somebody's reports has a folder in its place.
    """
    link, latest = folder.parent / f".latest-{folder.name}", folder.parent / "latest"
    try:
        link.symlink_to(folder.name)
        link.replace(latest)
    except OSError as fault:
        link.unlink(missing_ok=True)
        help_ = "; move it away" if latest.exists() and not latest.is_symlink() else ""
        return f"{latest} does not lead to this run ({fault.strerror}){help_}"
    return ""


def row_name(name: str) -> str:
    """Return the name of a scenario row made fit for a file system."""
    return re.sub(r"[^A-Za-z0-9._\[\]=-]+", "-", name).strip("-.")[:80] or "scenario"


def create_row(folder: Path, name: str) -> Path:
    """Make the folder of one scenario row; its name is made fit for a file system and unique."""
    stem = row_name(name)
    for number in range(1, 1_000_000):
        row = folder / (stem if number == 1 else f"{stem}-{number}")
        try:
            row.mkdir()
        except FileExistsError:
            continue
        return row
    raise ArchiveError(f"{folder}: a million rows are called {stem}")


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON file as `replace` does."""
    replace(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file; whoever reads it meanwhile sees the old one or the new one, and no half is left behind."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ArchiveError: it is missing, or no JSON object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise ArchiveError(f"{path}: {fault.strerror}; is this the folder of a run?") from fault
    except UnicodeDecodeError as fault:
        raise ArchiveError(f"{path}: not UTF-8 ({fault.reason})") from fault
    except ValueError as fault:
        raise ArchiveError(f"{path}: not JSON ({fault}); it is damaged, or was cut short") from fault
    if not isinstance(data, dict):
        raise ArchiveError(f"{path}: not a JSON object")
    return data


def read_plan(row: Path) -> Plan:
    """Read the plan of a row.

    Raises:
        ArchiveError: it is missing or of another format.
    """
    try:
        return Plan.from_json(read_json(row / "plan.json"))
    except (ValueError, KeyError, TypeError) as fault:
        raise ArchiveError(f"{row / 'plan.json'}: {fault}") from fault


class RecordedOps:
    """The operations of a history file, read from it one at a time, as often as they are asked for.

    Iterating raises ArchiveError when there is no such file, and HistoryError when it is no history, or of another
    version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_ns: int | None = None
        """When the last operation was recorded; None until all were read."""

    def __iter__(self) -> Iterator[Op]:
        """Read it from its beginning."""
        op = None
        try:
            file = self.path.open(encoding="utf-8")
        except OSError as fault:
            raise ArchiveError(
                f"{self.path}: {fault.strerror}; without a history there is nothing to judge"
            ) from fault
        with file:
            try:
                for op in read_history(file):
                    yield op
            except HistoryError as fault:
                raise HistoryError(f"{self.path}: {fault}") from fault
            except UnicodeDecodeError as fault:
                raise HistoryError(f"{self.path}: not UTF-8 ({fault.reason})") from fault
        self.last_ns = op.time if op is not None else 0


class Salvage:
    """The operations of a row as far as they can be read, and why that is not all of them.

    For those who show a run, whatever became of it; who judges one reads it with `read_ops`, which raises.
    """

    def __init__(self, row: Path) -> None:
        self._row = row
        self.fault = ""
        """What is wrong with the row, without full stop; empty when it is whole. Known once all was read."""

    def __iter__(self) -> Iterator[Op]:
        """Read it from its beginning."""
        last_ns = 0
        try:
            for op in read_ops(self._row):
                last_ns = op.time
                yield op
        except (ArchiveError, HistoryError) as fault:
            self.fault = str(fault)
        else:
            self.fault = unfinished(self._row) or cut_short(self._row, last_ns)


def unfinished(row: Path) -> str:
    """Return why a row may still grow, without full stop; empty when it is finished."""
    if (row / "env.json").is_file():
        return ""
    return (
        f"{row / 'env.json'}: not there, and it is written last. "
        "The run is still going on, or the process that played it ended before it was over"
    )


def cut_short(row: Path, last_ns: int) -> str:
    """Return what a finished row lacks whose history ends so early, without full stop; empty when it is whole."""
    try:
        recorded_ns = read_json(row / "env.json").get("recorded_ns")
    except ArchiveError as fault:
        return str(fault)
    if not isinstance(recorded_ns, int) or last_ns >= recorded_ns:
        return ""
    return (
        f"{row / 'history.jsonl'}: cut short: it ends at {last_ns / 1e9:.3f} s, "
        f"and the run went on until {recorded_ns / 1e9:.3f} s"
    )


def read_ops(row: Path) -> RecordedOps:
    """Return the operations of a row's history."""
    return RecordedOps(row / "history.jsonl")


def last_lines(path: Path, count: int = 20) -> tuple[str, ...]:
    """Return the last lines of a log that say something, oldest first; bytes that are not UTF-8 are replaced."""
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - LOG_END))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ()
    if size > LOG_END and len(lines) > 1:
        del lines[0]  # it begins somewhere in its middle
    return tuple(line for line in lines if line.strip())[-count:]


def rows(folder: Path) -> Sequence[Path]:
    """Return the rows of a run folder: its sub-folders with a plan, or itself when it is a row.

    Raises:
        ArchiveError: it is neither.
    """
    if (folder / "plan.json").is_file():
        return [folder]
    found = sorted(path.parent for path in folder.glob("*/plan.json")) if folder.is_dir() else []
    if not found:
        if not folder.is_dir():
            remedy = "it is a file, and a run is a folder" if folder.exists() else "there is no such folder"
        elif any(folder.glob("*/*/plan.json")):
            remedy = f"several runs are here; name one of them, such as {folder / 'latest'}"
        else:
            remedy = "no run is here (no plan.json in it or one folder below)"
        raise ArchiveError(f"{folder}: {remedy}")
    return found
