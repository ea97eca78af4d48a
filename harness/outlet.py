"""Writing to somebody who may stop reading before all is said, as `| head` does: work goes on, and ends as it ends.

`keep_open` makes standard output and standard error such that what is written when their reader has gone goes
nowhere: no command fails for it, and none ends with another code than it would have. What a full disk does not take
is another matter: it is lost, and `lost` says why.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Outlet(io.FileIO):
    """The writing end of what may be a pipe.

    Args:
        descriptor: of the end; not closed with this.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.has_reader = True
        """Whether there is still a reader, as far as is known."""
        self.lost = ""
        """Why what was written is lost, when it is not for want of a reader; empty while nothing is."""
        self.note = ""
        """What standard error is told when the reader goes."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes, or, when their reader has gone, take them as written."""
        if self.has_reader:
            try:
                return super().write(data)
            except BrokenPipeError:
                self.has_reader = False
                if self.note:
                    sys.stderr.write(f"{self.note}\n")
                    sys.stderr.flush()
            except OSError as fault:  # a full disk: the run goes on, and its reports may lie on another one
                self.has_reader = False
                self.lost = fault.strerror or str(fault)
        return memoryview(data).nbytes


def keep_open() -> None:
    """Let standard output and standard error of this process outlive their readers.

    Where one of the three usual descriptors is closed, it is opened to nowhere: a socket of ours must not get its
    number, and what is printed must not get into that.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # lower numbers are open, so this is the one that `open` returns
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(fd, "r" if fd == 0 else "w", closefd=False))
    sys.stdout = _outliving(sys.stdout)
    sys.stderr = _outliving(sys.stderr)


def _outliving(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):  # closed from the start, or somebody's own
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(Outlet(stream.fileno())),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def when_reader_goes(stream: TextIO, note: str) -> None:
    """Set what standard error is told when the reader of a stream goes; empty for nothing."""
    if (outlet := _outlet(stream)) is not None:
        outlet.note = note


def is_read(stream: TextIO) -> bool:
    """Whether a stream still has a reader, as far as its last flush has shown."""
    outlet = _outlet(stream)
    return outlet is None or outlet.has_reader


def lost(stream: TextIO) -> str:
    """Return why what was written to a stream is lost; empty when it is not, or only for want of a reader."""
    outlet = _outlet(stream)
    return "" if outlet is None else outlet.lost


def _outlet(stream: TextIO) -> Outlet | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, Outlet) else None


def tell(stream: TextIO, text: str) -> None:
    """Write text at once."""
    stream.write(text)
    stream.flush()
