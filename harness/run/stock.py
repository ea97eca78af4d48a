"""What the server holds open: when it is ready, and when all clients have left. See `model.leaks`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from harness.keeper import linux
from harness.keeper.descriptors import held
from harness.model.history import HARNESS
from harness.model.leaks import FEW_CONNECTIONS, GRACE_S, leaked
from harness.run.recorder import Recorder

#: Pace of looking at what it holds, seconds.
LOOK_AGAIN_S = 0.05


class Stock:
    """The looks at one server.

    Args:
        recorder: what is seen is put on record here.
        pid: tells its process, while it lives.
        tolerated: whether what it leaks is reported only.
    """

    def __init__(self, recorder: Recorder, pid: Callable[[], int | None], *, tolerated: bool) -> None:
        self._recorder = recorder
        self._pid = pid
        self._more = {"tolerated": True} if tolerated else {}
        self._ready: Mapping[str, Any] | None = None

    def when_ready(self) -> None:
        """Put on record what it holds before anybody has come."""
        self._ready = self._look()
        self._note("ready", self._ready)

    async def at_end(self) -> None:
        """Put on record what it holds when all have left, once it has had time to let go of them."""
        if self._ready is None or self._pid() is None:
            return
        holding = self._look()
        for _ in range(int(GRACE_S / LOOK_AGAIN_S)):
            if not leaked(self._ready, holding):
                break
            await asyncio.sleep(LOOK_AGAIN_S)  # nothing tells us when a stranger closes something
            holding = self._look()
        self._note("end", holding)

    def _look(self) -> Mapping[str, Any]:
        if (pid := self._pid()) is None:
            return {}
        return held((pid, *linux.descendants(pid)), few=FEW_CONNECTIONS)._asdict()

    def _note(self, when: str, holding: Mapping[str, Any]) -> None:
        self._recorder.note(HARNESS, "holds", {"when": when, **holding, **self._more})
