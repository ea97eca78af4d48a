"""Writing to somebody who may stop reading before all is said, as `| head` does: the run goes on, and its reports."""

from __future__ import annotations

import os
from typing import TextIO


def tell(stream: TextIO, text: str) -> None:
    """Write text at once; when its reader has gone, this and all that follows is for nobody."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        close_quietly(stream)


def close_quietly(stream: TextIO) -> None:
    """Let what a stream still holds, and all that is written to it later, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
