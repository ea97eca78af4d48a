"""A driver process, spoken to in lines; everything it said is kept in order."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from typing import Any

ANSWER_WITHIN = 20.0


class DriverProcess:
    """One driver as chatsim sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self._heard = asyncio.Event()
        self._count = 0
        self._looked_at = 0
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(json.loads(line))
            self._heard.set()

    async def until(self, what, found):
        """Wait for a line that `found` accepts; return it."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                while True:
                    for line in self.lines:
                        if found(line):
                            return line
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(f"never came: {what}; came: {self.lines}") from None

    async def next_line(self) -> dict[str, Any]:
        """Wait for the line after the one that this returned last."""
        self._looked_at += 1
        number = self._looked_at
        return await self.until("another line", lambda line: line in self.lines[number - 1 : number])

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request; return its whole answer line."""
        self._count += 1
        number = self._count
        self.write(json.dumps({"id": number, "op": op, **fields}).encode() + b"\n")
        return await self.until(f"answer of {op}", lambda line: line.get("id") == number)

    async def do(self, op: str, **fields: Any) -> dict[str, Any]:
        """Send a request that must succeed; return its `ok`."""
        answer = await self.ask(op, **fields)
        assert "ok" in answer, answer
        return answer["ok"]

    def events(self, *names: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") in names]

    def delivered(self) -> list[str]:
        return [line["message"]["message"] for line in self.events("deliver")]

    async def left(self) -> int:
        """Wait until it has ended; return its exit code."""
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._reading
            return await self.process.wait()


@asynccontextmanager
async def driver(*arguments: str):
    """Start the driver for chatsys; it is dead afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness.drivers.chatsys",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=4 << 20,
    )
    talking = DriverProcess(process)
    try:
        yield talking
    finally:
        if process.returncode is None:
            process.kill()
        await talking.left()


def address(server) -> dict[str, Any]:
    """What chatsim gives a driver to connect to."""
    return {
        "host": "127.0.0.1",
        "port": server.ready["port"],
        "instance": server.ready["instance_id"],
        "run": server.ready["run_id"],
    }
