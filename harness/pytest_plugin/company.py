"""What one pytest process plays scenarios with: a keeper and an event loop, from the first scenario to the end.

The keeper is launched when the first scenario is about to be played, and serves all of this process. chatsim holds no
gRPC object and starts no thread, so it may live inside a worker of pytest-xdist.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from harness.cli.row import Venue, play_row
from harness.keeper.handle import Keeper, KeeperError
from harness.keeper.launch import launch
from harness.model.plan import Plan
from harness.report.model import RowReport
from harness.run.own import preload
from harness.run.settings import Settings


class Company:
    """Plays rows one after the other.

    Args:
        settings: which server, which drivers, how fast.
        shared: run id, folder and command of the invocation, the same in all its processes.
    """

    def __init__(self, settings: Settings, shared: dict[str, Any]) -> None:
        self._settings = settings
        self._shared = shared
        self._folder = Path(shared["folder"])
        self._runner = asyncio.Runner()
        self._venue: Venue | None = None
        self._count = 0

    def play(self, plan: Plan) -> RowReport:
        """Play one plan to its report.

        Raises:
            KeeperError: no process can be started. The next row is played with a new keeper.
            OSError: there is nowhere to leave the row's folder.
        """
        self._count += 1
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            row = self._runner.run(self._play(plan))
        except KeeperError:
            self._dismiss()
            raise
        return row._replace(directory=os.path.relpath(row.directory))

    def close(self) -> None:
        """End the keeper, and with it every process that might be left. Safe to call again."""
        self._dismiss()
        self._runner.close()

    async def _play(self, plan: Plan) -> RowReport:
        venue = self._venue or await self._gather()
        # The mark need only be unique among the rows of this keeper, and on a server shared by all processes.
        return await play_row(venue, plan, f"{venue.keeper.run[:8]}{self._count:x}")

    async def _gather(self) -> Venue:
        keeper = Keeper(launch(os.urandom(6).hex(), preload(self._settings.server, self._settings.driver)))
        self._venue = Venue(
            run=self._shared["run"],
            folder=self._folder,
            settings=self._settings,
            command=self._shared["command"],
            keeper=keeper,
        )
        await keeper.attach()
        return self._venue

    def _dismiss(self) -> None:
        venue, self._venue = self._venue, None
        if venue is not None:
            self._runner.run(venue.keeper.close())
