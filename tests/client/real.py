"""A real `chatsys serve` process on loopback, to be killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

READY_WITHIN = 20.0


class RealServer:
    """One server over several lives, on one port and one data directory."""

    def __init__(self, data: Path, run: str = "") -> None:
        self.ready: dict[str, Any] = {}
        self._data = data
        self._run = run
        self._process: asyncio.subprocess.Process | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.ready['port']}"

    async def start(self) -> None:
        port = self.ready.get("port", 0)
        command = [sys.executable, "-m", "chatsys.cli", "serve"]
        command += [
            "--port",
            str(port),
            "--data",
            str(self._data),
            "--auth",
            "none",
            "--log-level",
            "warning",
        ]
        environment = {**os.environ, "CHATSIM_RUN": self._run}
        self._process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env=environment
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            line = await self._process.stdout.readline()
        self.ready = json.loads(line)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        process.send_signal(how)
        assert process.stdout is not None
        await process.stdout.read()
        async with asyncio.timeout(10):
            await process.wait()


@asynccontextmanager
async def real_server(data: Path, run: str = ""):
    """Start a server; it is dead afterwards, whatever happens."""
    server = RealServer(data, run)
    try:
        await server.start()
        yield server
    finally:
        await server.kill()
