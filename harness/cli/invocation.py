"""One `chatsim run`: rows played side by side, each judged and reported as it ends."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from harness.cli import keyboard
from harness.cli.row import Venue, leave_out, play_row
from harness.keeper.handle import Keeper
from harness.model.plan import Plan
from harness.report.model import RowReport
from harness.report.progress import Progress
from harness.report.words import say_step
from harness.run.settings import Settings
from harness.verbs.stage import together


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What all rows of one command have in common."""

    run: str
    folder: Path
    settings: Settings
    jobs: int
    command: Sequence[str]
    progress: Progress
    ended: Callable[[RowReport], None] = lambda _: None
    """Told of each row that has ended, as soon as it has."""

    async def play_all(self, plans: Sequence[Plan], keeper: Keeper) -> list[RowReport]:
        """Play every plan, at most `jobs` at a time; return their reports in the order of the plans.

        The first interrupt ends scripts where they are and judges what was recorded; what had not begun is reported
        as interrupted. The second kills.

        Raises:
            KeeperError: no process can be started.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt, stop, keeper)
        try:
            # Only the reports need it, and importing it takes 20 ms: now there is time, we wait for the keeper.
            junit = loop.run_in_executor(None, importlib.import_module, "junitparser")
            await keeper.attach()
            await junit
            venue = Venue(
                run=self.run,
                folder=self.folder,
                settings=self.settings,
                command=self.command,
                keeper=keeper,
            )
            places = asyncio.Semaphore(self.jobs)
            return await together(
                self._play_one(index, plan, venue, places, stop) for index, plan in enumerate(plans)
            )
        finally:
            await keeper.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _play_one(
        self, index: int, plan: Plan, venue: Venue, places: asyncio.Semaphore, stop: asyncio.Event
    ) -> RowReport:
        async with places:
            if stop.is_set():
                report = leave_out(venue, plan)
            else:
                self.progress.row_started(plan)
                report = await play_row(
                    venue,
                    plan,
                    f"{self.run[:8]}{index:x}",
                    on_step=lambda number, step: self.progress.step(plan, number, say_step(step)),
                    on_op=lambda op: self.progress.op(plan, op),
                    stop=stop,
                )
            self.progress.row_finished(report)
            self.ended(report)
            return report

    def _interrupt(self, stop: asyncio.Event, keeper: Keeper) -> None:
        if not stop.is_set():
            stop.set()
            click.echo("\nstopping: judging what was recorded (again to kill everything)", err=True)
            return
        click.echo("\nkilled", err=True)
        with contextlib.suppress(OSError):
            keeper.abandon()
        keyboard.restore()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
