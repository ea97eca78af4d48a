"""What several tests need: the scenarios that ship, waiting for what has no event, the processes of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import psutil

from harness.keeper.launch import RUN_VARIABLE

T = TypeVar("T")

#: Pace of looking at things that cannot tell us of themselves: /proc, files that others write.
LOOK_AGAIN_S = 0.002
#: Whether all is played that can be; what is checked in minutes plays a part of some things.
NIGHTLY = bool(os.environ.get("CHATSIM_NIGHTLY"))
ROOT = Path(__file__).resolve().parents[1]


def shipped(without: Collection[str] = ()) -> list[Path]:
    """Return the scenarios that ship, but these: those with an accepted screenplay.

    Others may lie beside them: whoever has written one wants it played, and no test of chatsim to turn red.
    """
    screenplays = {path.stem for path in (ROOT / "tests" / "source" / "explained").glob("*.txt")}
    found = sorted((ROOT / "scenarios").glob("*.yaml"))
    return [path for path in found if path.stem in screenplays - set(without)]


def until(condition: Callable[[], T], what: str, deadline_s: float = 10.0) -> T:
    """Look until the condition is true, and return its value; fail with what was waited for."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(LOOK_AGAIN_S)
    return value


def members(run: str) -> list[psutil.Process]:
    """Return every living process that carries this run id, the keeper and its forks included."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_VARIABLE) == run and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
