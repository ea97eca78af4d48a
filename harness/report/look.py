"""How output should look: its width, whether it has colour, whether the stream can show more than ASCII.

Invariants: colour is never the only carrier of anything; `Look.paint` adds escape sequences around text whose
width was counted before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

ColorFlag = Literal["auto", "always", "never"]
Tone = Literal["good", "bad", "doubt", "bold", "dim"]

_CODES: Mapping[Tone, str] = {"good": "32", "bad": "31", "doubt": "33", "bold": "1", "dim": "2"}
_NO = frozenset({"", "0", "false", "no", "off"})


class Stream(Protocol):
    """What is asked of an output stream."""

    def isatty(self) -> bool:
        """Return whether a person sees it."""
        ...


class Look(NamedTuple):
    """How a text is to be drawn."""

    color: bool = False
    width: int = 80
    """Columns, at least 60."""
    ascii: bool = False
    """Only ASCII characters: for streams that can encode no others."""

    def paint(self, text: str, tone: Tone) -> str:
        """Return the text in a colour, or as it is."""
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if self.color and text else text


def look_of(
    stream: Stream, environ: Mapping[str, str], *, flag: ColorFlag = "auto", columns: int = 80
) -> Look:
    """Return the look that fits a stream; `columns` is what `shutil.get_terminal_size` said."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "")
    return Look(
        color=wants_color(stream, environ, flag),
        width=min(max(columns, 60), 120),
        ascii=not encoding.startswith("utf"),
    )


def wants_color(stream: Stream, environ: Mapping[str, str], flag: ColorFlag = "auto") -> bool:
    """Return whether to write colour to a stream. The first rule that speaks decides.

    1. `--color always` or `--color never`.
    2. `NO_COLOR`, not empty: no.
    3. `FORCE_COLOR` or `CLICOLOR_FORCE`, neither empty nor 0: yes.
    4. `TERM=dumb`: no. `CI`: no, a log is read as text.
    5. Whether the stream is a terminal.
    """
    if flag != "auto":
        return flag == "always"
    if environ.get("NO_COLOR"):
        return False
    if _set(environ, "FORCE_COLOR") or _set(environ, "CLICOLOR_FORCE"):
        return True
    if environ.get("TERM") == "dumb" or _set(environ, "CI"):
        return False
    return stream.isatty()


def wants_redraw(stream: Stream, environ: Mapping[str, str]) -> bool:
    """Return whether lines on this stream may be drawn over: a person's terminal, and no log of a CI."""
    return stream.isatty() and environ.get("TERM") != "dumb" and not _set(environ, "CI")


def wants_annotations(environ: Mapping[str, str]) -> bool:
    """Return whether failures are to be annotated for GitHub Actions, which sets this variable itself."""
    return environ.get("GITHUB_ACTIONS") == "true"


def step_summary(environ: Mapping[str, str]) -> str:
    """Return the file to which GitHub Actions wants a summary in Markdown to be added; empty elsewhere."""
    return environ.get("GITHUB_STEP_SUMMARY", "")


def _set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() not in _NO
