"""A fault in a scenario file and how it is shown: place, source line, caret, remedy.

The form is that of rustc and Hurl:

    error[unknown-client]: no client is called `bbo`
     --> scenarios/basic.yaml:7:22
      |
    7 |   - connect: [alice, bbo]
      |                      ^^^ did you mean `bob`?
      |
      = help: clients: alice, bob, chad
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.verbs.phrases import count
from harness.verbs.problem import Severity

#: Line breaks as libyaml counts them.
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_WIDEST = 160
_MOST = 100
#: Characters that turn the direction of what follows them.
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Note(NamedTuple):
    """Another place of the same file, and what stands there."""

    line: int
    column: int
    width: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One fault, placed. Lines and columns count from 1; line 0 speaks of the whole file."""

    code: str
    message: str
    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    label: str = ""
    help: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    severity: Severity = "error"

    def to_json(self) -> dict[str, Any]:
        """Return plain data for tools."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "width": self.width,
            "label": self.label,
            "help": list(self.help),
            "notes": [note._asdict() for note in self.notes],
        }


class _Paint(NamedTuple):
    error: str = ""
    warning: str = ""
    bold: str = ""
    frame: str = ""
    end: str = ""


_COLORS = _Paint("\x1b[1;31m", "\x1b[1;33m", "\x1b[1m", "\x1b[1;34m", "\x1b[0m")


def render(diagnostics: Sequence[Diagnostic], *, color: bool, sources: Mapping[str, str]) -> str:
    """Return diagnostics as text, blank lines between them; empty when there are none.

    Of one file the first hundred are shown and the others are counted.

    Args:
        diagnostics: In the order in which to show them.
        color: Whether to use ANSI colours.
        sources: The text of each file that has a place in a diagnostic.
    """
    paint = _COLORS if color else _Paint()
    lines = {file: LINE_BREAK.split(text) for file, text in sources.items()}
    by_file: dict[str, list[Diagnostic]] = {}
    for item in diagnostics:
        by_file.setdefault(item.file, []).append(item)
    blocks = []
    for file, found in by_file.items():
        blocks += [_block(item, lines.get(file, []), paint) for item in found[:_MOST]]
        if len(found) > _MOST:
            blocks.append(f"... and {len(found) - _MOST:,} more in {visible(file)}\n")
    return "\n".join(blocks)


def closing_line(diagnostics: Sequence[Diagnostic], consequence: str = "nothing was started") -> str:
    """Return `scenarios/basic.yaml: 1 problem, nothing was started`; empty when there is nothing to say.

    Warnings alone stop nothing, so `consequence` is said only when there is an error.
    """
    errors = [item for item in diagnostics if item.severity == "error"]
    warnings = [item for item in diagnostics if item.severity == "warning"]
    if not diagnostics:
        return ""
    parts = [count(len(errors), "problem")] if errors else []
    parts += [count(len(warnings), "warning")] if warnings else []
    files = list(dict.fromkeys(item.file for item in diagnostics))
    where = visible(files[0]) if len(files) == 1 else f"{len(files)} files"
    return f"{where}: {' and '.join(parts)}{f', {consequence}' if errors else ''}"


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file (as first named), line and column; equal ones are said once."""
    found = list(dict.fromkeys(diagnostics))
    order = {file: index for index, file in enumerate(dict.fromkeys(item.file for item in found))}
    return tuple(sorted(found, key=lambda item: (order[item.file], item.line, item.column, item.severity)))


def visible(text: str) -> str:
    """Return `text` with every control character replaced, so that a file cannot play with the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if _plays_tricks(char) else char for char in text)


def _plays_tricks(char: str) -> bool:
    if char == "\t":
        return False
    return unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _BIDI


def _block(item: Diagnostic, lines: Sequence[str], paint: _Paint) -> str:
    strong = paint.error if item.severity == "error" else paint.warning
    head = f"{strong}{item.severity}[{item.code}]{paint.end}{paint.bold}: {visible(item.message)}{paint.end}"
    marks = _marks(item, lines)
    gutter = len(str(max((mark[0].line for mark in marks), default=0)))
    place = visible(item.file) + (f":{item.line}:{item.column}" if item.line else "")
    rows = [head, f"{' ' * gutter}{paint.frame}-->{paint.end} {place}"]
    if marks:
        rows.append(f"{' ' * gutter} {paint.frame}|{paint.end}")
    previous = None
    for note, sign in marks:
        if previous is not None and note.line > previous + 1:
            rows.append(f"{paint.frame}{'.' * max(3, gutter)}{paint.end}")
        text, indent, width = _window(lines[note.line - 1], note.column, note.width)
        if note.line != previous:
            rows.append(f"{paint.frame}{note.line:>{gutter}} |{paint.end} {text}".rstrip())
        previous = note.line
        tint = strong if sign == "^" else paint.frame
        caret = f"{indent}{tint}{sign * width}{' ' + visible(note.text) if note.text else ''}{paint.end}"
        rows.append(f"{' ' * gutter} {paint.frame}|{paint.end} {caret}".rstrip())
    if not marks and item.label:
        rows.append(f"{' ' * gutter} {paint.frame}={paint.end} {visible(item.label)}")
    rows += [f"{' ' * gutter} {paint.frame}={paint.end} help: {visible(text)}" for text in item.help]
    return "\n".join(rows) + "\n"


def _marks(item: Diagnostic, lines: Sequence[str]) -> list[tuple[Note, str]]:
    """The places to show, top to bottom; those outside the text (an end of file) are left out."""
    marks = [(Note(item.line, item.column, item.width, item.label), "^")]
    marks += [(note, "-") for note in item.notes]
    return sorted((mark for mark in marks if 0 < mark[0].line <= len(lines)), key=lambda mark: mark[0][:2])


def _window(line: str, column: int, width: int) -> tuple[str, str, int]:
    """Return the part of a line to show, the blanks before the caret and the caret's width, in columns."""
    start = column - 1
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[cut : cut + _WIDEST]
    before, after = ("… " if cut else ""), (" …" if cut + _WIDEST < len(line) else "")
    indent = "".join(char if char == "\t" else " " * columns(char) for char in shown[: start - cut])
    marked = shown[start - cut : start - cut + max(1, width)]
    size = sum(columns(char) for char in marked) or 1
    return f"{before}{visible(shown)}{after}", " " * len(before) + indent, size


def columns(char: str) -> int:
    """Return how many columns of a terminal a character takes."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
