"""Single keys while a run goes on: only where a person sits at a terminal of which we are the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_found: tuple[int, list[Any]] | None = None
"""The terminal while its keys are read one by one, and how it was found."""


def someone_is_there() -> bool:
    """Return whether keys can be read: standard input and error are a terminal, and it is ours."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def listening(keys: Mapping[str, Callable[[], None]]) -> Iterator[None]:
    """Call the function of each of these keys that is pressed; other keys do nothing, Ctrl-C what it always does.

    Needs a running event loop. The terminal is left as it was found.

    Args:
        keys: key -> what to do.
    """
    global _found  # noqa: PLW0603 - there is one terminal, and whoever leaves at once must put it right
    fd = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    _found = fd, termios.tcgetattr(fd)

    def pressed() -> None:
        try:
            read = os.read(fd, 64)
        except OSError:
            read = b""
        if not read:  # the terminal is gone, and would be readable for ever
            loop.remove_reader(fd)
        for key in read.decode("utf-8", "replace"):
            if key in keys:
                keys[key]()

    tty.setcbreak(fd, termios.TCSANOW)
    loop.add_reader(fd, pressed)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        restore()


def restore() -> None:
    """Leave the terminal as it was found. Safe to call again."""
    global _found  # noqa: PLW0603 - see above
    if _found is not None:
        termios.tcsetattr(_found[0], termios.TCSANOW, _found[1])
        _found = None
