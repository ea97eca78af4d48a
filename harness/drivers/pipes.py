"""Lines in from one file descriptor, lines out to another, without threads and without losing order.

Invariants:
* Lines leave in the order in which they were written, whole, however slowly the other side reads.
* `flushed()` returns only when every line written before it has left this process.
* Neither end blocks the event loop.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Final

#: The longest line the protocol allows, bytes, without its newline.
MAX_LINE: Final = 1 << 20
_CHUNK: Final = 1 << 16


class LineReader:
    """Cuts what comes from a file descriptor into lines.

    Args:
        fd: to read from; made non-blocking.
        on_line: sees each whole line, in order. Empty lines are passed over.
        on_long: hears of each line that is longer than the protocol allows; the line is passed over.
        on_end: hears, once, that nothing more will come. Half a line at the end is dropped.
    """

    def __init__(
        self,
        fd: int,
        *,
        on_line: Callable[[bytes], None],
        on_long: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._fd = fd
        self._on_line, self._on_long, self._on_end = on_line, on_long, on_end
        self._parts: list[bytes] = []
        self._length = 0
        self._skipping = False
        self._ended = False

    def start(self) -> None:
        """Begin to read. Needs a running event loop."""
        os.set_blocking(self._fd, False)
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._readable)
        except PermissionError:
            # A plain file is always readable and cannot be waited for.
            while not self._ended:
                self._readable()

    def stop(self) -> None:
        """Read no more."""
        self._ended = True
        asyncio.get_running_loop().remove_reader(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.stop()
            self._on_end()
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._add(line)
            self._complete()
        self._add(rest)

    def _add(self, part: bytes) -> None:
        if not self._skipping:
            self._parts.append(part)
            self._length += len(part)
            if self._length > MAX_LINE:
                self._skipping = True
                self._parts.clear()
                self._on_long()

    def _complete(self) -> None:
        line = b"".join(self._parts)
        skipped, self._skipping = self._skipping, False
        self._parts.clear()
        self._length = 0
        if not skipped and line.strip():
            self._on_line(line)


class LineWriter:
    """Writes lines to a file descriptor, those of one turn of the event loop together.

    Args:
        fd: to write to; made non-blocking.
        on_gone: hears, once, that the other side reads no more.
    """

    def __init__(self, fd: int, *, on_gone: Callable[[], None]) -> None:
        self._fd = fd
        self._on_gone = on_gone
        self._lines: list[bytes] = []
        self._rest = memoryview(b"")
        self._written = 0
        self._sent = 0
        self._joined = 0
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._scheduled = False
        self._waiting = False
        self._gone = False
        self._loop = asyncio.get_running_loop()
        os.set_blocking(fd, False)

    def write(self, line: bytes) -> None:
        """Queue one line, without its newline. It leaves in this turn of the event loop if it can."""
        self._lines.append(line)
        self._written += 1
        if not (self._scheduled or self._waiting):
            self._scheduled = True
            self._loop.call_soon(self._later)

    async def flushed(self) -> None:
        """Wait until everything written so far has left this process; returns at once when the other side is gone."""
        if not self._waiting:
            self._flush()
        if self._sent < self._written and not self._gone:
            done: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append((self._written, done))
            await done

    def _later(self) -> None:
        self._scheduled = False
        if not self._waiting:
            self._flush()

    def _flush(self) -> None:
        while (self._rest or self._lines) and not self._gone:
            if not self._rest:
                self._lines.append(b"")
                self._rest = memoryview(b"\n".join(self._lines))
                self._lines.clear()
                self._joined = self._written
            try:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
            except BlockingIOError:
                if not self._waiting:
                    self._waiting = True
                    self._loop.add_writer(self._fd, self._flush)
                return
            except OSError:
                self._leave()
                return
            if not self._rest:
                self._sent = self._joined
                self._wake()
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._fd)

    def _wake(self) -> None:
        while self._waiters and (self._gone or self._waiters[0][0] <= self._sent):
            done = self._waiters.popleft()[1]
            if not done.done():
                done.set_result(None)

    def _leave(self) -> None:
        self._gone = True
        self._lines.clear()
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._fd)
        self._wake()
        self._on_gone()
