"""The server that is measured: one process on one processor, with everything on that one would run it with.

On are tokens (EdDSA, verified for each call), metrics, JSON logs of refused and slow calls, and its limits. Every
acknowledgement is fsynced: that cannot be switched off. Traces are not on; they are an extra.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from chatsys.auth import keys
from chatsys.auth.tokens import Claims, mint

OPTIONS = ("--auth", "tokens", "--metrics-port", "0", "--log-format", "json", "--log-requests", "failed")
ON = "tokens, metrics, JSON logs of refused and slow calls, every acknowledgement fsynced"

Metadata = tuple[tuple[str, str], ...]

_ALL = os.sched_getaffinity(0)
# As the program began: a bench confines itself to the processors of clients before it starts a server.


def cores() -> tuple[set[int], set[int]]:
    """Return the processor of servers, and those of clients: others, if there are any."""
    first = {min(_ALL)}
    return first, _ALL - first or first


@contextlib.contextmanager
def running(
    command: list[str], where: set[int], log: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a program on these processors until the end of the block; its output is read line by line."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process:
        os.sched_setaffinity(process.pid, where)  # it has hardly begun, and has no other threads
        try:
            yield process
        finally:
            process.kill()


class Served:
    """A running server.

    Attributes:
        target: host:port.
        started: Seconds from its start to its ready line.
    """

    def __init__(self, process: subprocess.Popen[str], data: Path, began: float) -> None:
        self.process = process
        ready = json.loads(process.stdout.readline())
        self.started = time.perf_counter() - began
        self.target = f"127.0.0.1:{ready['port']}"
        self._data = data

    def token(self, user: str) -> str:
        """Return a token of somebody."""
        now = time.time()
        claims = Claims(user, False, secrets.token_hex(8), "", now - 1, now + 86_400)
        return mint(keys.load(self._data / "keys").signer(), claims, "chatsys")

    def metadata(self, user: str) -> Metadata:
        """Return what goes with each call of somebody."""
        return (("authorization", f"Bearer {self.token(user)}"),)

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        return cpu_of(self.process.pid)

    def memory(self) -> tuple[float, float]:
        """Return its proportional and its resident set, in MiB."""
        found = {}
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            found[name] = rest.split()
        return int(found["Pss"][0]) / 1024, int(found["Rss"][0]) / 1024


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def serving(data: Path, *options: str) -> Iterator[Served]:
    """Serve a data directory, on a processor of its own, until the end of the block."""
    mine, _ = cores()
    command = [
        sys.executable,
        "-m",
        "chatsys.server.main",
        "--port",
        "0",
        "--data",
        str(data),
        *OPTIONS,
        *options,
    ]
    began = time.perf_counter()
    with (data.parent / f"{data.name}.log").open("w") as log, running(command, mine, log) as process:
        yield Served(process, data, began)
