"""Ctrl-C while commands are still being imported: the process leaves at once, for nothing has begun.

Python turns the signal into an exception wherever it is, and an import may be in a place that swallows it: then the
command would be played as if nobody had said anything.
"""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

#: As `ExitCode.INTERRUPTED`, which is not imported yet.
_INTERRUPTED = 130


def at_once() -> None:
    """Let Ctrl-C end the process without a word more, unless whoever started it lets it be ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def orderly() -> None:
    """Let Ctrl-C be an exception again: from here on there is something to tidy up."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(_number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError):
        os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)  # a keeper that is on its way goes when its socket closes
