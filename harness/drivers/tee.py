"""Runs a driver and keeps a copy of every line in both directions: `python -m harness.drivers.tee FOLDER COMMAND...`.

The copy of each process is `FOLDER/PID.lines`; `>` is what chatsim wrote, `<` what the driver did.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO


def lines_of(folder: Path, client: str) -> list[str]:
    """Return what was exchanged with the driver that played `client`, by the copies in `folder`."""
    for copy in sorted(folder.glob("*.lines")):
        lines = copy.read_text(encoding="utf-8", errors="replace").splitlines()
        if any(line.startswith(">") and _plays(line[1:]) == client for line in lines):
            return lines
    return []


def _plays(line: str) -> str:
    """Return whom a `setup` request names; empty for any other line."""
    try:
        request = json.loads(line)
    except ValueError:
        return ""
    return str(request.get("client", "")) if request.get("op") == "setup" else ""


def _copy(reading: IO[bytes], writing: IO[bytes], log: IO[bytes], mark: bytes) -> None:
    """Hand on line by line; the copy is written first, so that it holds all that was seen."""
    for line in iter(reading.readline, b""):
        log.write(mark + line)
        log.flush()
        try:
            writing.write(line)
            writing.flush()
        except BrokenPipeError:
            break
    writing.close()


def main(argv: list[str]) -> None:
    """Play the driver of the command line to its end, and end as it does."""
    folder, *command = argv
    with (Path(folder) / f"{os.getpid()}.lines").open("wb") as log:
        driver = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert driver.stdin is not None
        assert driver.stdout is not None
        down = (sys.stdin.buffer, driver.stdin, log, b">")
        threading.Thread(target=_copy, args=down, daemon=True).start()
        _copy(driver.stdout, sys.stdout.buffer, log, b"<")
        code = driver.wait()
    # The thread may still wait for a line that nobody will write.
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
