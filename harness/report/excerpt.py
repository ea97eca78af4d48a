"""Lines of a scenario file with carets and notes under them, in the manner of rustc and Hurl.

Invariants: carets stand under the characters meant, also after wide characters; a line that is too long is cut
around its caret, never wrapped; every place of one excerpt is of the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.model.span import Span
from harness.report.look import Look
from harness.report.text import clip, safe, width


class Place(NamedTuple):
    """Where to point and what to say there."""

    span: Span
    note: str = ""


def gutter_of(places: Sequence[Place]) -> int:
    """Return how many columns line numbers take: three, more for long files."""
    return max([3, *(len(str(place.span.line)) for place in places)])


def excerpt(file: str, source: str, places: Sequence[Place], look: Look) -> list[str]:
    """Return the lines of an excerpt, the place to show first named above it.

    Places are shown in the order of the file. Of several that say the same of the same place, one is shown.
    """
    if not places:
        return []
    lines = source.splitlines()
    gutter = gutter_of(places)
    bar = look.paint(" " * gutter + " |", "dim")
    first = places[0].span
    out = [f"{' ' * (gutter - 1)}--> {safe(file)}:{first.line}:{first.column}", bar]
    unique = dict.fromkeys(sorted(places, key=lambda place: (place.span.line, place.span.column)))
    shown = 0
    for span, note in unique:
        text = lines[span.line - 1] if span.line <= len(lines) else ""
        before, marked = safe(text[: span.column - 1]), safe(text[span.column - 1 :][: span.width])
        drop = _drop(before, look.width - gutter - 3)
        if span.line != shown:
            if shown and span.line > shown + 1:
                out.append(bar)
            number = look.paint(f"{span.line:>{gutter}} |", "dim")
            body = ("…" if drop else "") + safe(text)[drop:]
            out.append(f"{number} {clip(body, look.width - gutter - 3)}")
            shown = span.line
        indent = width(before[drop:]) + (1 if drop else 0)
        room = look.width - gutter - 3 - indent
        carets = "^" * max(1, min(width(marked), room))
        out.append(
            f"{bar} {' ' * indent}{look.paint(carets, 'bad')} {_note(note, room - len(carets) - 1)}".rstrip()
        )
    out.append(bar)
    return out


def _drop(before: str, room: int) -> int:
    """Return how many characters to leave out in front, so that the caret is well inside the line."""
    if width(before) <= room * 2 // 3:
        return 0
    drop = 0
    while width(before[drop:]) > room // 3:
        drop += 1
    return drop


def _note(note: str, room: int) -> str:
    return clip(safe(note), room) if room >= 8 else ""
