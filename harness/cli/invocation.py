"""One `chatsim run`: rows played side by side, each judged and reported as it ends."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from harness import __version__, archive
from harness.cli.derive import derive
from harness.keeper.handle import Keeper
from harness.model.plan import Plan
from harness.model.verdict import RunStatus
from harness.report.model import RowReport
from harness.report.progress import Progress
from harness.report.words import say_step
from harness.run.needs import SkippedError
from harness.run.play import play
from harness.run.settings import CouldNotRunError, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What all rows of one command have in common."""

    run: str
    folder: Path
    settings: Settings
    jobs: int
    command: Sequence[str]
    progress: Progress

    async def play_all(self, plans: Sequence[Plan], keeper: Keeper) -> list[RowReport]:
        """Play every plan, at most `jobs` at a time; return their reports in the order of the plans.

        The first interrupt ends scripts where they are and judges what was recorded; the second kills.

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
            places = asyncio.Semaphore(self.jobs)
            tasks = [
                asyncio.ensure_future(self._play_one(index, plan, keeper, places, stop))
                for index, plan in enumerate(plans)
            ]
            try:
                reports = await asyncio.gather(*tasks)
            except BaseException:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                raise
            return [report for report in reports if report is not None]
        finally:
            await keeper.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _play_one(
        self, index: int, plan: Plan, keeper: Keeper, places: asyncio.Semaphore, stop: asyncio.Event
    ) -> RowReport | None:
        async with places:
            if stop.is_set():
                return None
            folder = archive.create_row(self.folder, plan.name)
            archive.write_json(folder / "plan.json", plan.to_json())
            env = self._environment(plan)
            row = f"{self.run[:8]}{index:x}"
            self.progress.row_started(plan)
            begun = time.monotonic_ns()
            try:
                played = await play(
                    plan,
                    folder,
                    keeper,
                    self.settings,
                    row=row,
                    on_step=lambda number, step: self.progress.step(plan, number, say_step(step)),
                    stop=stop,
                )
            except CouldNotRunError as fault:
                env |= {"status": RunStatus.ERROR, "error": fault.to_json(), "reason": fault.sentence}
                env["duration_ns"] = time.monotonic_ns() - begun
            except SkippedError as skip:
                env |= {"status": RunStatus.SKIPPED, "reason": str(skip)}
            else:
                env["duration_ns"] = played.duration_ns
                env["scripted_waiting_ns"] = played.scripted_waiting_ns
                env["leaks"] = [f"pid {pid}: {command}" for pid, command in played.leftovers]
                if played.interrupted:
                    env |= {"status": RunStatus.INTERRUPTED, "reason": "interrupted"}
            archive.write_json(folder / "env.json", env)
            report = derive(folder)
            self.progress.row_finished(report)
            return report

    def _environment(self, plan: Plan) -> dict[str, Any]:
        uname = os.uname()
        return {
            "format": "chatsim.env",
            "version": archive.ENV_VERSION,
            "run": self.run,
            "seed": plan.seed,
            "command": list(self.command),
            "server": self.settings.server or "chatsys",
            "driver": self.settings.driver or "chatsys",
            "speed": "max" if self.settings.speed is None else self.settings.speed,
            "versions": {"chatsim": __version__, "python": platform.python_version()},
            "platform": f"{uname.sysname} {uname.release} {uname.machine}",
            "cpus": os.cpu_count(),
            "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }

    def _interrupt(self, stop: asyncio.Event, keeper: Keeper) -> None:
        if not stop.is_set():
            stop.set()
            click.echo("\nstopping: judging what was recorded (again to kill everything)", err=True)
            return
        click.echo("\nkilled", err=True)
        with contextlib.suppress(OSError):
            keeper.abandon()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
