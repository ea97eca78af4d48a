"""Speaking to a driver line by line, right or wrong, and hearing all it says: what a check of a driver needs.

Unlike `Driver`, which believes in its driver until it breaks the protocol, this takes nothing for granted.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import archive
from harness.keeper.handle import ROW_VARIABLE, Child, Keeper
from harness.run.lines import Lines

Line = Mapping[str, Any]


class UnheardError(Exception):
    """What was waited for did not come; the text says what came instead."""


class Talk:
    """One driver process. Make one with `begin`; `end` it.

    Args:
        child: its process.
        log: where its standard error goes.
    """

    def __init__(self, child: Child, log: Path) -> None:
        self.child = child
        self.lines: list[Line] = []
        """All it has said."""
        self.fault = ""
        """How its output broke the protocol; empty while it has not."""
        self._log = log
        self._heard = asyncio.Event()
        self._input: asyncio.WriteTransport | None = None
        self._output: asyncio.ReadTransport | None = None
        self._count = 0
        child.ended.add_done_callback(lambda _: self._heard.set())

    @classmethod
    async def begin(cls, keeper: Keeper, command: Sequence[str], log: Path, row: str) -> Talk:
        """Start a driver process.

        Raises:
            CommandError: the command cannot be executed.
        """
        child, ours_in, ours_out = await keeper.spawn_piped(
            "driver", command=command, log=log, environment={ROW_VARIABLE: row}
        )
        talk = cls(child, log)
        loop = asyncio.get_running_loop()
        talk._input, _ = await loop.connect_write_pipe(asyncio.Protocol, ours_in)
        talk._output, _ = await loop.connect_read_pipe(lambda: Lines(talk._line, talk._broken), ours_out)
        return talk

    def write(self, data: bytes) -> None:
        """Write bytes to its standard input."""
        if self._input is not None and not self._input.is_closing():
            self._input.write(data)

    def hang_up(self) -> None:
        """End its standard input, after what was written."""
        if self._input is not None:
            self._input.close()

    def request(self, op: str, **fields: Any) -> int:
        """Send a request; return its id."""
        self._count += 1
        line = json.dumps({"id": self._count, "op": op, **fields}, ensure_ascii=False)
        self.write(line.encode() + b"\n")
        return self._count

    async def ask(self, op: str, within_s: float = 5.0, **fields: Any) -> Line:
        """Send a request and return its answer.

        Raises:
            UnheardError: none came in time.
        """
        return await self.answer(self.request(op, **fields), f"`{op}`", within_s)

    async def answer(self, number: int | None, what: str, within_s: float = 5.0, *, since: int = 0) -> Line:
        """Wait for the answer of a request; `since` passes over what was said before that many lines.

        Raises:
            UnheardError: none came in time, or one that is no answer.
        """
        found = await self.until(
            lambda line: "event" not in line and "id" in line and line["id"] == number,
            f"no answer to {what}",
            within_s,
            since=since,
        )
        if ("ok" in found) == ("error" in found):
            raise UnheardError(
                f"the answer to {what} has not exactly one of `ok` and `error`: {shown(found)}"
            )
        error = found.get("error")
        if error is not None and not (
            isinstance(error, dict)
            and all(isinstance(error.get(key), str) for key in ("code", "reason", "message"))
            and isinstance(error.get("definite"), bool)
        ):
            raise UnheardError(
                f"the error of {what} lacks `code`, `reason`, `message` or `definite`: {shown(found)}"
            )
        return found

    async def until(
        self, wanted: Callable[[Line], bool], else_: str, within_s: float, *, since: int = 0
    ) -> Line:
        """Wait for a line.

        Raises:
            UnheardError: it did not come in time, or cannot come any more.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for line in self.lines[since:]:
                        if wanted(line):
                            return line
                    if self.fault:
                        raise UnheardError(self.fault)
                    if self.child.ended.done():
                        raise UnheardError(
                            f"{else_}: it ended ({self.child.ended.result()}){self._last_words()}"
                        )
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise UnheardError(f"{else_} within {within_s:g} s") from None

    async def end(self) -> None:
        """Kill the process, if it lives, and close the pipes."""
        if self.child.alive:
            await self.child.signal(signal.SIGKILL)
            await self.child.wait(5.0)
        self.hang_up()
        if self._output is not None:
            self._output.close()

    def _line(self, line: bytes) -> None:
        number = len(self.lines) + 1
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            self.lines.append(data)
        elif not self.fault:
            text = line[:120].decode(errors="replace")
            self.fault = f"line {number} is no JSON object: {text!r}. A log line belongs on standard error"
        self._heard.set()

    def _broken(self, what: str) -> None:
        self.fault = self.fault or f"line {len(self.lines) + 1} {what}"
        self._heard.set()

    def _last_words(self) -> str:
        last = archive.last_lines(self._log, 1)
        return f"; its last line: {last[0]}" if last else ""


def shown(line: Line) -> str:
    """Return a line for people, cut where it gets long."""
    text = json.dumps(line, ensure_ascii=False)
    return text if len(text) <= 160 else text[:160] + "…"
