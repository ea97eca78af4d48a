"""Reading lines from a pipe as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: The longest line a driver may write, bytes.
MAX_LINE = 1 << 20


class Lines(asyncio.Protocol):
    """Cuts what a pipe brings into lines and hands each over at once, in order.

    Args:
        on_line: sees each whole line, without its newline; empty lines are passed over.
        on_fault: hears, once, that a line is too long or that the pipe ended in the middle of one.
        on_end: hears that nothing more will come.
    """

    def __init__(
        self,
        on_line: Callable[[bytes], None],
        on_fault: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_line = on_line
        self._on_fault = on_fault
        self._on_end = on_end
        self._rest = b""
        self._deaf = False

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._deaf:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if len(line) > MAX_LINE:
                self._too_long()
                return
            if line.strip():
                self._on_line(line)
        if len(self._rest) > MAX_LINE:
            self._too_long()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice an end in the middle of a line."""
        del exc
        if self._rest.strip() and not self._deaf:
            text = self._rest[:120].decode(errors="replace")
            self._on_fault(f"ended in the middle: {text!r}")
        self._on_end()

    def _too_long(self) -> None:
        self._deaf = True
        self._rest = b""
        self._on_fault(f"is longer than {MAX_LINE} bytes")
