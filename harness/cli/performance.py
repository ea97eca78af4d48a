"""What `chatsim run` does once the keeper is on its way: load, play, report."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import archive
from harness.cli import ground, keyboard, own_leaks, pages
from harness.cli.exit_codes import ExitCode, exit_code
from harness.cli.invocation import Invocation
from harness.cli.scenarios import load_or_exit
from harness.cli.sight import look_at
from harness.keeper.handle import Keeper
from harness.keeper.launch import Launched
from harness.model.plan import Plan
from harness.outlet import when_reader_goes
from harness.report.files import Growing, summarise, write_reports
from harness.report.look import ColorFlag, Look, step_summary, wants_annotations, wants_redraw
from harness.report.model import Invocation as Report
from harness.report.model import RowReport
from harness.report.progress import Progress, open_progress
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
    """-1 for the verdict line only, 1 for every step and check, 2 for all logs as they are written."""
    color: ColorFlag
    begun_ns: int
    """When the command began, monotonic clock."""
    repeat: int = 1
    """How often each scenario is played."""
    events: bool = False
    """Whether standard output gets JSON Lines, and people read standard error."""
    no_skip: bool = False
    """Whether a skipped row counts as a failure."""
    html: pages.Wanted = "failed"
    """Pages of which rows are written."""
    shows: bool = False
    """Whether the page is opened in a browser."""
    limits_decide: bool = False
    """Whether a row fails when one of its limits is exceeded."""
    summary: Path | None = None
    """Where a summary in Markdown goes."""
    typed: tuple[str, ...] | None = None
    """The paths of the command line, where only some of what they name is played."""

    def load(self, seed: int | None, drawn_seed: int | None = None) -> tuple[Plan, ...]:
        """Load the scenarios; with any fault in any of them, say all and leave with code 2.

        Args:
            seed: stands above the seeds of the files.
            drawn_seed: for files without one; a new one is drawn when it is None.
        """
        plans = load_or_exit(self.paths, seed=seed, drawn_seed=drawn_seed, color=self.color)
        if self.limits_decide:
            plans = tuple(dataclasses.replace(plan, limits_decide=True) for plan in plans)
        if self.repeat == 1:
            return plans
        # All of them once, then all again: what is only true the first time shows soon.
        return tuple(
            dataclasses.replace(plan, name=f"{plan.name}#{number}")
            for number in range(1, self.repeat + 1)
            for plan in plans
        )

    def play(self, plans: tuple[Plan, ...]) -> ExitCode:
        """Play the plans and leave the reports; return how the command ends.

        Raises:
            click.ClickException: there is nowhere to leave reports, or no process can be started.
        """
        started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        people = sys.stderr if self.events else sys.stdout
        look = look_at(people, self.color)
        progress = open_progress(
            people,
            sys.stderr,
            os.environ,
            look=look,
            verbosity=self.verbosity,
            name_cells=name_cells((plan.name for plan in plans), look),
        )
        events = None
        if self.events:
            from harness.report.events import Events  # noqa: PLC0415 - few runs are read by programs

            progress = events = Events(progress, sys.stdout, ops=self.verbosity > 0)
        with ground.kept(self.launched) as keeper:
            folder = ground.folder(self.reports, keeper.run)
            before = own_leaks.opened()
            if events is not None:
                events.run_started(plans, command=_command_line(), seed=plans[0].seed, directory=str(folder))
            when_reader_goes(sys.stdout, f"nobody reads; playing on, report in {folder}")
            rows = asyncio.run(self._play(plans, keeper, folder, progress, look))
        report = Report(
            rows=tuple(rows),
            command=_command_line(),
            paths=self.paths if self.typed is None else self.typed,
            seed=plans[0].seed,
            directory=str(folder),
            duration_ns=time.monotonic_ns() - self.begun_ns,
            started_at=started_at,
        )
        when_reader_goes(sys.stdout, "")
        write_reports(report, folder)
        page = pages.write(report, folder, self.html)
        if page is not None:
            report = report._replace(page=str(page))
        ground.lead_to(folder)
        ours = tuple(own_leaks.left(before, keeper.scratch))
        code = exit_code((row.status for row in report.rows), no_skip=self.no_skip, broke=bool(ours))
        if ours:
            click.echo(
                f"Error: chatsim itself left open or behind, please report it: {', '.join(ours)}", err=True
            )
        for fault in summarise(report, file=self.summary, added_to=step_summary(os.environ)):
            click.echo(fault, err=True)
        if wants_annotations(os.environ):
            from harness.report.github import annotation_lines  # noqa: PLC0415 - only there

            for line in (line for row in report.rows for line in annotation_lines(row)):
                click.echo(line, err=self.events)
        # A person is told how to get a page; a log, and who said that none is wanted, need no advice.
        offers = self.html != "none" and wants_redraw(people, os.environ)
        told = verdict_line(report, look) if self.verbosity < 0 else ending(report, look, offers=offers)
        click.echo(told, err=self.events)
        if events is not None:
            events.run_finished(report, code)
        if self.shows and page is not None:
            pages.show(page)
        return code

    async def _play(
        self, plans: tuple[Plan, ...], keeper: Keeper, folder: Path, progress: Progress, look: Look
    ) -> list[RowReport]:
        """Play all rows, with whoever looks on."""
        async with contextlib.AsyncExitStack() as beside:
            if self.verbosity > 1:
                from harness.cli.logs import Logs  # noqa: PLC0415 - few runs need it

                progress = logs = Logs(progress, folder, several=len(plans) > 1, ascii_only=look.ascii)
                await beside.enter_async_context(logs.following())
            if keyboard.someone_is_there():
                from harness.report.situation import Situation  # noqa: PLC0415 - nobody else presses keys

                progress = situation = Situation(progress, lambda plan: _last_lines(folder, plan))
                show = lambda: progress.say("\n".join(situation.lines(look.width)))  # noqa: E731 - one key, one act
                beside.enter_context(keyboard.listening({"t": show}))
            growing = Growing(Report(rows=(), command=_command_line()), folder)
            invocation = Invocation(
                run=keeper.run,
                folder=folder,
                settings=self.settings,
                jobs=self.jobs,
                command=_command_line(),
                progress=progress,
                ended=growing.add,
            )
            with progress:
                return await invocation.play_all(plans, keeper)


def _last_lines(folder: Path, plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Return the last log line of each process of a running row."""
    logs = folder / archive.row_name(plan.name) / "logs"
    return {path.stem: archive.last_lines(path, 1) for path in sorted(logs.glob("*.log"))}


def _command_line() -> tuple[str, ...]:
    return ("chatsim", *sys.argv[1:])
