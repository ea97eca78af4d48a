"""`chatsim run`: play scenarios, judge them, leave reports."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import archive
from harness.cli.exit_codes import EPILOG, ExitCode, exit_code
from harness.cli.invocation import Invocation
from harness.cli.scenarios import load_or_exit
from harness.keeper.handle import Keeper, KeeperError
from harness.report.files import write_reports
from harness.report.look import ColorFlag, look_of
from harness.report.model import Invocation as Report
from harness.report.progress import open_progress
from harness.report.terminal import ending, name_cells, verdict_line
from harness.run.settings import Settings

MAX_SPEED = "max"


def _speed(_ctx: click.Context, _param: click.Parameter, value: str) -> float | None:
    """Read a factor such as `10x` or `0.5x`; None is `max`."""
    if value == MAX_SPEED:
        return None
    try:
        factor = float(value.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0.001 <= factor <= 1_000_000:
        raise click.BadParameter(f"{value!r} is no speed: write a factor such as 10x, or max")
    return factor


def _duration(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Read a time with its unit, such as `500ms`, `10s` or `1m`; return seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time: write a number and its unit, such as 500ms or 10s")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


@click.command("run", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Scenarios at a time.  [default: cores]"
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed; else the file's, or a new one."
)
@click.option(
    "--speed",
    callback=_speed,
    metavar="FACTOR|max",
    default="1x",
    show_default=True,
    help="Scripted time: a factor such as 10x, or max to leave out waiting in which nothing can happen.",
)
@click.option(
    "--server", metavar="CMD", default=None, help="Server command; {port} {host} {data} are filled in."
)
@click.option("--driver", metavar="CMD", default=None, help="Driver command, one process for each client.")
@click.option(
    "--ready-within",
    callback=_duration,
    metavar="TIME",
    default="10s",
    show_default=True,
    help="How long the server may take to get ready.",
)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the run leaves its folder.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every step and every check.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    paths: Sequence[str],
    jobs: int | None,
    seed: int | None,
    speed: float | None,
    server: str | None,
    driver: str | None,
    ready_within: float,
    reports: Path,
    *,
    quiet: bool,
    verbose: bool,
    color: ColorFlag,
) -> None:
    """Play scenarios and judge them.

    PATH is a scenario file, or a folder of them.

    \b
    Examples:
      chatsim run scenarios/basic.yaml
      chatsim run scenarios/ -j 4 --speed max
      chatsim run scenarios/basic.yaml --server "./my-server --port {port} --data {data}"
    """
    settings = Settings(server=server, driver=driver, speed=speed, ready_within_s=ready_within)
    begun = time.monotonic_ns()
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    run = archive.new_run_id()
    # It imports what it will fork while we read the scenarios: that is a third of a short run's time. It has
    # no server and no client before the scenarios are known to be good.
    keeper = Keeper.launch(run, settings.preload)
    try:
        plans = load_or_exit(paths, seed=seed)
        folder = _make_folder(reports, run)
    except BaseException:
        keeper.abandon()
        raise
    look = look_of(sys.stdout, os.environ, flag=color, columns=shutil.get_terminal_size((80, 24)).columns)
    progress = open_progress(
        sys.stdout,
        sys.stderr,
        os.environ,
        look=look,
        verbosity=1 if verbose else -1 if quiet else 0,
        name_cells=name_cells((plan.name for plan in plans), look),
    )
    seed = plans[0].seed
    with progress:
        invocation = Invocation(
            run=run,
            folder=folder,
            settings=settings,
            jobs=jobs or os.cpu_count() or 1,
            command=_command_line(),
            progress=progress,
        )
        try:
            rows = asyncio.run(invocation.play_all(plans, keeper))
        except KeeperError as fault:
            keeper.abandon()
            raise _CouldNotRunError(str(fault)) from fault
    report = Report(
        rows=tuple(rows),
        command=_command_line(),
        paths=tuple(paths),
        seed=seed,
        directory=str(folder),
        duration_ns=time.monotonic_ns() - begun,
        started_at=started_at,
    )
    write_reports(report, folder)
    archive.point_latest(folder)
    click.echo((verdict_line if quiet else ending)(report, look))
    raise click.exceptions.Exit(int(exit_code(row.status for row in rows)))


class _CouldNotRunError(click.ClickException):
    exit_code = ExitCode.COULD_NOT_RUN


def _make_folder(reports: Path, run: str) -> Path:
    try:
        return archive.create(reports, run)
    except OSError as fault:
        raise click.UsageError(
            f"cannot write to {reports}: {fault.strerror}; choose another with --reports"
        ) from fault


def _command_line() -> tuple[str, ...]:
    return ("chatsim", *sys.argv[1:])
