"""What `chatsim run` does once the keeper is on its way: load, play, report."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import archive
from harness.cli.exit_codes import ExitCode, exit_code
from harness.cli.invocation import Invocation
from harness.cli.scenarios import load_or_exit
from harness.keeper.handle import Keeper, KeeperError
from harness.keeper.launch import Launched
from harness.model.plan import Plan
from harness.report.files import write_reports
from harness.report.look import ColorFlag, Look, look_of
from harness.report.model import Invocation as Report
from harness.report.model import RowReport
from harness.report.progress import open_progress
from harness.report.terminal import ending, name_cells, verdict_line
from harness.run.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One call of `chatsim run`."""

    launched: Launched
    settings: Settings
    paths: tuple[str, ...]
    jobs: int
    reports: Path
    verbosity: int
    """-1 for the verdict line only, 1 for every step and check."""
    color: ColorFlag
    begun_ns: int
    """When the command began, monotonic clock."""

    def load(self, seed: int | None) -> tuple[Plan, ...]:
        """Load the scenarios; with any fault in any of them, say all and leave with code 2."""
        return load_or_exit(self.paths, seed=seed, color=self.color, to_play=True)

    def play(self, plans: tuple[Plan, ...]) -> ExitCode:
        """Play the plans and leave the reports; return how the command ends.

        Raises:
            click.ClickException: there is nowhere to leave reports, or no process can be started.
        """
        keeper = Keeper(self.launched)
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        folder = self._folder(keeper)
        columns = shutil.get_terminal_size((80, 24)).columns
        look = look_of(sys.stdout, os.environ, flag=self.color, columns=columns)
        rows = self._rows(plans, keeper, folder, look)
        report = Report(
            rows=tuple(rows),
            command=_command_line(),
            paths=self.paths,
            seed=plans[0].seed,
            directory=str(folder),
            duration_ns=time.monotonic_ns() - self.begun_ns,
            started_at=started_at,
        )
        write_reports(report, folder)
        archive.point_latest(folder)
        click.echo((verdict_line if self.verbosity < 0 else ending)(report, look))
        return exit_code(row.status for row in rows)

    def _rows(self, plans: tuple[Plan, ...], keeper: Keeper, folder: Path, look: Look) -> list[RowReport]:
        cells = name_cells((plan.name for plan in plans), look)
        with open_progress(
            sys.stdout, sys.stderr, os.environ, look=look, verbosity=self.verbosity, name_cells=cells
        ) as progress:
            invocation = Invocation(
                run=keeper.run,
                folder=folder,
                settings=self.settings,
                jobs=self.jobs,
                command=_command_line(),
                progress=progress,
            )
            try:
                return asyncio.run(invocation.play_all(plans, keeper))
            except KeeperError as fault:
                raise _CouldNotRunError(str(fault)) from fault
            finally:
                keeper.abandon()

    def _folder(self, keeper: Keeper) -> Path:
        try:
            return archive.create(self.reports, keeper.run)
        except OSError as fault:
            keeper.abandon()
            raise click.UsageError(
                f"cannot write to {self.reports}: {fault.strerror}; choose another with --reports"
            ) from fault


class _CouldNotRunError(click.ClickException):
    exit_code = ExitCode.COULD_NOT_RUN


def _command_line() -> tuple[str, ...]:
    return ("chatsim", *sys.argv[1:])
