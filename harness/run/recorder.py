"""The single writer of history.jsonl, and the only clock whose readings are in it.

Invariant: a line is in the operating system's hands when what told of it goes on. So whatever kills chatsim, the
history is complete up to then, and an invocation is on record before its request leaves. What a full disk does not
take ends the record, and with it the run: a history with a hole in it would convict a server of what it never did.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.model.history import Op, OpType, header


class Observer(Protocol):
    """Somebody who wants to see each operation as it is recorded."""

    def __call__(self, op: Op) -> None:
        """See one operation; must not raise and must not wait."""
        ...


class Recorder:
    """Writes operations in the order in which they are told to it.

    Args:
        path: the file to make; it must not exist.
        run: run id, for the header.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._start = time.monotonic_ns()
        self._index = 0
        self._ops = 0
        self._observers: list[Observer] = []
        self.open: dict[int, Op] = {}
        """Invocations that have not ended yet, by `op`."""
        self.lost: OSError | None = None
        """Why nothing is written any more; None while all is."""
        self.on_lost: Callable[[OSError], None] = lambda _: None
        """Hears of it, once."""
        self._closed = False
        os.write(self._fd, f"{header(run)}\n".encode())

    def listen(self, observer: Observer) -> None:
        """Show every further operation to this observer, too."""
        self._observers.append(observer)

    def now(self) -> int:
        """Return ns since the run began, as written in `time`."""
        return time.monotonic_ns() - self._start

    def invoke(self, process: str, f: str, value: Mapping[str, Any], step: str | None = None) -> Op:
        """Record that an operation begins; its `op` pairs it with its completion."""
        self._ops += 1
        op = self._write(process, "invoke", f, value, self._ops, step)
        self.open[self._ops] = op
        return op

    def complete(
        self,
        invoked: Op,
        type_: OpType,
        value: Mapping[str, Any] | None = None,
        *,
        error: Mapping[str, Any] | None = None,
        step: str | None = None,
        t: int | None = None,
    ) -> Op:
        """Record how an operation ended; `value` is added to that of the invocation.

        `step` names the step when the invocation could not.
        """
        if invoked.op is not None:
            self.open.pop(invoked.op, None)
        merged = {**invoked.value, **(value or {})}
        return self._write(
            invoked.process, type_, invoked.f, merged, invoked.op, step or invoked.step, t, error
        )

    def note(
        self,
        process: str,
        f: str,
        value: Mapping[str, Any],
        *,
        op: int | None = None,
        step: str | None = None,
        t: int | None = None,
    ) -> Op:
        """Record something that was seen and that nobody invoked."""
        return self._write(process, "ok", f, value, op, step, t)

    def close(self) -> None:
        """End what is still open as `info`, then close the file."""
        for invoked in list(self.open.values()):
            error = {"code": "CANCELLED", "reason": "RUN_ENDED", "message": "the run ended before the answer"}
            self.complete(invoked, "info", error=error)
        os.close(self._fd)
        self._closed = True

    def _write(
        self,
        process: str,
        type_: OpType,
        f: str,
        value: Mapping[str, Any],
        op: int | None = None,
        step: str | None = None,
        t: int | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> Op:
        record = Op(self._index, self.now(), process, type_, f, value, op, step, t, error)
        if self._closed:  # an end that comes late, say; and its descriptor may be somebody else's by now
            return record
        line = f"{record.to_line()}\n".encode()
        self._index += 1
        if self.lost is None:
            try:
                written = os.write(self._fd, line)
                while written < len(line):  # a nearly full disk may take a part
                    written += os.write(self._fd, line[written:])
            except OSError as fault:
                self.lost = fault
                self.on_lost(fault)
        for observer in self._observers:
            observer(record)
        return record
