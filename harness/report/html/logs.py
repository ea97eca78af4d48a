"""What processes wrote and what was recorded, merged by time.

Log lines carry the wall time of their writer, if any. A line without one belongs to the line before it; before the
first that has one nobody knows, and they stand at the begin of the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from harness.report.text import clip, safe

#: Log lines on a page, over all processes, the latest of each.
LINES = 4_000
#: Zones of the world differ by quarters of hours.
_QUARTER = 900
_WIDTH = 400
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6}))?(Z|[+-]\d\d:?\d\d)?")

LogLine = str


class Entry(NamedTuple):
    """One line of the merged log."""

    time_ns: int
    process: str
    tone: Literal["op", "bad", "log", "undated"]
    """An operation, one that failed, or a line of a log; `undated`: before any line that tells its time."""
    text: str
    op: int | None = None
    """The operation's number in the history."""
    message: str = ""
    proof: bool = False
    """Whether a violation rests on it."""


def stamped(logs: Mapping[str, Sequence[LogLine]], started_at: str) -> list[Entry]:
    """Return the lines of all logs with the time of the run at which each was written.

    Args:
        logs: What each process wrote, oldest first.
        started_at: When the run began, ISO 8601; empty when nobody knows: then all were written at the begin.
    """
    try:
        begin = datetime.fromisoformat(started_at).timestamp() if started_at else None
    except ValueError:
        begin = None
    each = max(1, LINES // max(1, len(logs)))
    return [entry for name, lines in logs.items() for entry in _of_one(name, lines[-each:], begin)]


def _of_one(name: str, lines: Sequence[LogLine], begin: float | None) -> Iterable[Entry]:
    now, shift = 0, None
    tone: Literal["log", "undated"] = "undated"
    for line in lines:
        found = None if begin is None else _STAMP.search(line[:100])
        if begin is not None and found is not None and (read := _read(found)) is not None:
            since = read - begin
            if found[4] is None and shift is None:
                # A stamp without a zone may be of any zone, and the log was not begun before the run.
                shift = round(since / _QUARTER) * _QUARTER
            tone = "log"
            now = max(0, int((since - (0 if found[4] else shift or 0)) * 1e9))
        yield Entry(now, safe(name), tone, clip(safe(line), _WIDTH))


def _read(found: re.Match[str]) -> float | None:
    zone = found[4] or "+00:00"
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}.{(found[3] or '0').ljust(6, '0')}{zone}")
    except ValueError:
        return None
    return moment.astimezone(UTC).timestamp()


def merge_logs(operations: Iterable[Entry], lines: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return both in order of time; of what was written at one time, operations first."""
    return tuple(sorted([*operations, *lines], key=lambda entry: (entry.time_ns, entry.op is None)))
