"""Text in cells: what strangers wrote, made harmless and fitted to the columns of a terminal.

Invariants:
* What `safe` returns has no control character, so nobody's message can move the cursor, change a colour, or
  turn the direction of the text; and no lone surrogate, so it can always be encoded.
* `width`, `clip`, `pad` and `wrap` count terminal cells, not characters, and expect text that is safe.
"""

from __future__ import annotations

import unicodedata

#: More marks than this on one letter are written out: they would be drawn over the lines above.
_MARKS_ON_A_LETTER = 3
#: Characters of no width that some scripts and emoji need between letters.
_JOINERS = "\u200c\u200d"
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
_SHORT = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}

#: One cell for one cell, so that a table stays a table.
_ASCII = str.maketrans("│─▶◀✓✗–…·┊›≤×◆▸“”—", '|-><+x-.*:><x*>""-')


def escape(char: str) -> str:
    r"""Return a character as an escape that one can read: `\x1b`, `\u202e`."""
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def safe(text: str) -> str:
    """Return text on one line, with everything but visible characters escaped."""
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in _ESCAPED and char not in _JOINERS:
            out.append(escape(char))
            marks = 0
            continue
        marks = marks + 1 if char_width(char) == 0 else 0
        out.append(escape(char) if marks > _MARKS_ON_A_LETTER else char)
    return "".join(out)


def char_width(char: str) -> int:
    """Return the number of cells of one character: 0, 1 or 2."""
    if char in _JOINERS or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def width(text: str) -> int:
    """Return the number of cells of a text."""
    if text.isascii():
        return len(text)
    return sum(map(char_width, text))


def clip(text: str, cells: int) -> str:
    """Return the text in at most `cells` cells; an ellipsis ends what was cut."""
    if width(text) <= cells:
        return text
    if cells < 1:
        return ""
    used = 0
    for place, char in enumerate(text):
        used += char_width(char)
        if used > cells - 1:
            return text[:place] + "…"
    return text


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """Return the text filled with spaces to `cells` cells; `right` puts it at the right edge."""
    space = " " * (cells - width(text))
    return space + text if right else text + space


def wrap(text: str, cells: int, *, lines: int = 0) -> list[str]:
    """Return the text in lines of at most `cells` cells, broken at spaces where there are any.

    At most `lines` lines when that is given; an ellipsis then ends what was cut.
    """
    cells = max(cells, 8)
    out: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width(line) + 1 + width(word) <= cells:
            line = f"{line} {word}"
            continue
        if line:
            out.append(line)
        line = word
        while width(line) > cells:
            head = _head(line, cells)
            out.append(head)
            line = line[len(head) :]
    out.append(line)
    if lines and len(out) > lines:
        out = [
            *out[: lines - 1],
            clip(f"{out[lines - 1]} …", cells)
            if width(out[lines - 1]) < cells - 1
            else clip(out[lines - 1] + "…", cells),
        ]
    return out


def _head(text: str, cells: int) -> str:
    used = 0
    for place, char in enumerate(text):
        used += char_width(char)
        if used > cells:
            return text[:place]
    return text


def to_ascii(text: str) -> str:
    """Return the text for an ASCII terminal: marks and lines get a stand-in of the same width."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "?" * char_width(c) for c in text.translate(_ASCII))


def count(number: int, noun: str) -> str:
    """Return `1 client`, `2 clients`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def seconds(ns: int) -> str:
    """Return a length of time: `4.2 ms`, `0.05 s`, `6.7 s`, `2 min 5 s`."""
    value = ns / 1e9
    if value < 0.01:
        return f"{ns / 1e6:.1f} ms" if ns >= 50_000 else "< 0.1 ms" if ns else "0 s"
    if value < 1:
        return f"{value:.2f} s"
    if value < 120:
        return f"{value:.1f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def moment(ns: int) -> str:
    """Return a moment of a run, to the millisecond: `0.512 s`."""
    return f"{ns / 1e9:.3f} s"
