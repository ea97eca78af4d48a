"""How names, durations and numbers read in a sentence. Used by `explain`, diagnostics and reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NUMBERED = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)
_UNITS = (
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
)


def names(items: Iterable[str], last: str = "and") -> str:
    """Return `alice, bob and chad`; runs of three or more numbered names become `user-1 … user-30`."""
    parts = list(_runs(list(items)))
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def listing(items: Iterable[str]) -> str:
    """Return `alice, bob, chad`, runs as in `names`."""
    return ", ".join(_runs(list(items)))


def duration(ns: int) -> str:
    """Return `5 s`, `1.5 s`, `500 ms`, `2 min` or `90 s`; minutes and hours only when they are whole."""
    for unit, size in _UNITS:
        if ns >= size and (size <= _UNITS[2][1] or ns % size == 0):
            number = f"{ns / size:.3f}".rstrip("0").rstrip(".")
            return f"{number} {unit}"
    return f"{ns} ns" if ns else "0 s"


def count(number: int, noun: str) -> str:
    """Return `1 problem` or `3 problems`; a noun ending in -s, -x or -ch takes -es."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}{'es' if noun.endswith(('s', 'x', 'ch')) else 's'}"


def quote(text: str, limit: int = 60) -> str:
    """Return the text of a message in quotation marks, on one line, cut at `limit` characters."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return f"“{line}”" if len(line) <= limit else f"“{line[: limit - 1]}…”"


def _runs(items: list[str]) -> Iterator[str]:
    start = 0
    while start < len(items):
        end = start + 1
        while end < len(items) and _follows(items[end - 1], items[end]):
            end += 1
        if end - start >= 3:
            yield f"{items[start]} … {items[end - 1]}"
        else:
            yield from items[start:end]
        start = end


def _follows(one: str, other: str) -> bool:
    first, second = _NUMBERED.match(one), _NUMBERED.match(other)
    return (
        first is not None
        and second is not None
        and first[1] == second[1]
        and len(first[2]) < 12
        and str(int(first[2]) + 1) == second[2]
    )
