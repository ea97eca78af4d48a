"""The logs of all processes of a run, as they are written, each line under the name of who wrote it: `-vv`.

Processes write their logs themselves, straight into files, so that nothing is lost when chatsim is killed; here the
files are followed, as `tail -f` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from harness.model.plan import Plan
from harness.report.model import RowReport
from harness.report.progress import Progress
from harness.report.relay import Relay
from harness.report.text import safe, to_ascii

#: Pace of looking: a file tells nobody that it grew, and ten times a second a reader sees no difference.
PACE_S = 0.1
#: What of one log is read at a time, bytes.
CHUNK = 1 << 16


class Logs(Relay):
    """Passes on what the processes of a run write, and says which step begins.

    Args:
        inner: its `say` takes the lines.
        folder: folder of the invocation, with a folder for each row.
        several: whether rows must be told apart.
        ascii_only: whether the terminal shows nothing else.
    """

    def __init__(self, inner: Progress, folder: Path, *, several: bool, ascii_only: bool = False) -> None:
        super().__init__(inner)
        self._folder = folder
        self._several = several
        self._ascii = ascii_only
        self._read: dict[Path, int] = {}

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Say which step begins."""
        self.look()
        row = f"{plan.name} " if self._several else ""
        self._say([f"{safe(row)}▶ step {index + 1}/{plan.length} {safe(text)}"])
        super().step(plan, index, text)

    def row_finished(self, row: RowReport) -> None:
        """Pass on the last words before the verdict."""
        self.look()
        super().row_finished(row)

    def look(self) -> None:
        """Pass on every line that was finished since the last look."""
        lines = []
        for path in sorted(self._folder.glob("*/logs/*.log")):
            lines += [f"{self._name(path)} │ {safe(line)}" for line in self._new(path)]
        self._say(lines)

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Look again and again; a last time at the end."""
        task = asyncio.ensure_future(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            self.look()

    async def _follow(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(PACE_S)  # processes write these files without telling us

    def _new(self, path: Path) -> list[str]:
        lines: list[str] = []
        with path.open("rb") as log:
            log.seek(self._read.get(path, 0))
            while data := log.read(CHUNK):
                end = data.rfind(b"\n") + 1
                if not end and len(data) == CHUNK:
                    end = CHUNK  # a line without an end is passed on in pieces
                self._read[path] = log.seek(end - len(data), os.SEEK_CUR)
                lines += [line for line in data[:end].decode("utf-8", "replace").splitlines() if line.strip()]
                if len(data) < CHUNK:
                    break
        return lines

    def _name(self, path: Path) -> str:
        name = f"{path.parents[1].name} {path.stem}" if self._several else path.stem
        return safe(name).rjust(10)

    def _say(self, lines: list[str]) -> None:
        if lines:
            text = "\n".join(lines)
            self.say(to_ascii(text) if self._ascii else text)
