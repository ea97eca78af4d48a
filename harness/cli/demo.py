"""`chatsim demo`: one conversation against a good server and against a broken one, and the page of what went wrong.

The broken server is one of the gallery, started by a command like anybody's own; so what the report says of playing
it again is true. The scenario is copied into the folder of the run: what to type next works from there.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from harness.cli import ground, pages
from harness.cli.exhibition import serving
from harness.cli.exit_codes import EPILOG, ExitCode
from harness.cli.row import Venue, play_row
from harness.cli.scenarios import load_or_exit
from harness.cli.sight import look_at
from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
from harness.model.plan import Plan
from harness.model.verdict import RunStatus
from harness.report import story
from harness.report.files import write_reports
from harness.report.look import ColorFlag, Look
from harness.report.model import Invocation, RowReport
from harness.run.own import preload
from harness.run.settings import Settings
from harness.source.explain import explain

SCENARIO = Path(__file__).with_name("demo.yaml")
BROKEN = "acks-before-commit"


@click.command("demo", epilog=EPILOG)
@click.option("--open", "shows", is_flag=True, help="Open the page in a browser at the end.")
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the two runs leave their folder.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(reports: Path, *, shows: bool, color: ColorFlag) -> None:
    """Show in a few seconds what chatsim does: a pass, then the same against a server that is broken on purpose.

    Exit code 0: the good server passed and the broken one was convicted. 1: one of the verdicts was another one.

    \b
    Examples:
      chatsim demo
      chatsim demo --open
    """
    look = look_at(sys.stdout, color)
    begun = time.monotonic_ns()
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    with ground.kept(launch(os.urandom(6).hex(), preload(None, None))) as keeper:
        folder = ground.folder(reports, keeper.run)
        file = folder / SCENARIO.name
        shutil.copyfile(SCENARIO, file)
        (plan,) = load_or_exit([str(file)], drawn_seed=1)
        rows = asyncio.run(_play_both(plan, keeper, folder, look))
    report = Invocation(
        rows=rows,
        command=("chatsim", *sys.argv[1:]),
        seed=plan.seed,
        directory=str(folder),
        duration_ns=time.monotonic_ns() - begun,
        started_at=started_at,
    )
    write_reports(report, folder)
    page = pages.write(report, folder)
    ground.lead_to(folder)
    good, bad = rows
    click.echo(story.moral(good, bad, str(file), str(page), look))
    if shows and page is not None:
        pages.show(page)
    expected = good.status is RunStatus.PASS and bad.status is RunStatus.FAIL
    raise click.exceptions.Exit(int(ExitCode.PASSED if expected else ExitCode.FAILED))


async def _play_both(plan: Plan, keeper: Keeper, folder: Path, look: Look) -> tuple[RowReport, ...]:
    """Play the plan against the good server, then against the broken one; say each before and after."""
    click.echo(story.opening(explain(plan), look))
    await keeper.attach()
    broken = serving(BROKEN, "--data {data}")
    rows: list[RowReport] = []
    try:
        for name, server in ((story.GOOD, None), (story.BAD, broken)):
            click.echo(story.act(name, look))
            venue = Venue(
                run=keeper.run,
                folder=folder,
                settings=Settings(server=server, speed=None),
                command=("chatsim", *sys.argv[1:]),
                keeper=keeper,
            )
            rows.append(
                await play_row(venue, dataclasses.replace(plan, name=name), f"{keeper.run[:8]}{len(rows):x}")
            )
            click.echo(story.verdict(rows[-1], look))
    finally:
        await keeper.close()
    return tuple(rows)
