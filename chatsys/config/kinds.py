"""What a setting may hold: each kind reads a text, says what is wrong with it, and writes a value back.

Flags and variables are texts; a value of a TOML file is made one first, so that all three mean the same.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_BYTES = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}


class Kind(NamedTuple):
    """One kind of value."""

    word: str
    """Stands for the value in a help text."""
    parse: Callable[[str], Any]
    """Raises ValueError with the rest of a sentence that begins with the text."""
    flag: bool = False
    """Whether ``--name`` alone means true."""


def number(low: int, high: int = 2**31 - 1) -> Kind:
    """A whole number from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"is no number from {low} to {high}")
        return int(text)

    return Kind("N", parse)


def size(low: int = 1, high: int = 1024**3) -> Kind:
    """A number of bytes."""

    def parse(text: str) -> int:
        digits = text.rstrip("KMGiB")
        factor = _BYTES.get(text[len(digits) :].strip())
        if factor is None or not digits.strip().isdecimal() or not low <= int(digits) * factor <= high:
            raise ValueError(f"is no size from {low} to {high} bytes, such as 65536 or 64KiB")
        return int(digits) * factor

    return Kind("SIZE", parse)


def duration(low: float = 0.0, high: float = 3_650 * 86_400.0) -> Kind:
    """A length of time; read as seconds."""

    def parse(text: str) -> float:
        digits = text.rstrip("msdh")
        factor = _SECONDS.get(text[len(digits) :])
        seconds = _float(digits) * factor if factor is not None else math.nan
        if not low <= seconds <= high:
            least, most = show_duration(low), show_duration(high)
            raise ValueError(f"is no time from {least} to {most}, such as 500ms, 30s, 15m, 12h or 30d")
        return seconds

    return Kind("TIME", parse)


def rate() -> Kind:
    """So many a second; 0 is no limit."""

    def parse(text: str) -> float:
        value = _float(text)
        if not 0 <= value <= 1e9:
            raise ValueError("is no rate: a number a second, such as 50 or 0.2; 0 sets no limit")
        return value

    return Kind("RATE", parse)


def one_of(*known: str) -> Kind:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(f"is not known here; choose from {', '.join(known)}")
        return text

    return Kind(f"{{{','.join(known)}}}", parse)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65_535:
        raise ValueError("is no port; a port is a number from 0 to 65535")
    return int(text)


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("is no path")
    return Path(text)


def _switch(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false")
    return text == "true"


def _text(text: str) -> str:
    if not text or not all("!" <= each <= "~" for each in text):
        raise ValueError("is no word; use printable ASCII without blanks")
    return text


def _run_id(text: str) -> str:
    if not all("!" <= each <= "~" for each in text):
        raise ValueError("is no run id; use printable ASCII without blanks")
    return text


PORT = Kind("PORT", _port)
FILE = Kind("FILE", _path)
DIR = Kind("DIR", _path)
SWITCH = Kind("{true,false}", _switch, flag=True)
WORD = Kind("WORD", _text)
ADDRESS = Kind("ADDRESS", _text)
RUN_ID = Kind("ID", _run_id)


def show_duration(seconds: float) -> str:
    """A length of time as the kind reads it, in the largest unit that gives a whole number."""
    if not seconds:
        return "0s"
    for unit, factor in reversed(_SECONDS.items()):
        amount = seconds / factor
        if amount >= 1 and amount == int(amount):
            return f"{int(amount)}{unit}"
    return f"{seconds!r}s"


def _float(text: str) -> float:
    try:
        return float(text) if text.isascii() and not text.startswith(("-", "+")) else math.nan
    except ValueError:
        return math.nan
