"""`chatsim run`: play scenarios, judge them, leave reports.

This module reads the options and sees to the keeper, and imports nothing that either could do without: what plays,
judges and reports is imported beside the keeper's own importing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from harness.cli import completion, early, values
from harness.cli.exit_codes import EPILOG
from harness.run.own import preload
from harness.run.settings import Settings


@click.command("run", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completion.scenarios)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Scenarios at a time.  [default: cores]"
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed; else the file's, or a new one."
)
@click.option(
    "--speed",
    callback=values.speed,
    metavar="FACTOR|max",
    default="1x",
    show_default=True,
    help="Scripted time: a factor such as 10x (or 10), or max to leave out waiting in which nothing can happen.",
)
@click.option(
    "--server",
    callback=values.program,
    metavar="CMD|ADDRESS",
    default=None,
    help="Server command, in which {port} {host} {data} {members} {member_numbers} {options} are filled in, "
    "or HOST:PORT of a running server.",
)
@click.option(
    "--driver",
    callback=values.program,
    metavar="CMD",
    default=None,
    help="Driver command, one process for each client.",
)
@click.option(
    "--ready-within",
    callback=values.duration,
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
@click.option(
    "--repeat",
    type=click.IntRange(1, 100_000),
    default=1,
    metavar="N",
    help="Play each so often, by one seed.",
)
@click.option("--watch", is_flag=True, help="Play again what was edited, until Ctrl-C.")
@click.option(
    "--html",
    type=click.Choice(["failed", "all", "none"]),
    default=None,
    help="Which scenarios get a page, index.html.  [default: failed; with --open all]",
)
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write a summary in Markdown to this file, for a change; GitHub Actions gets one by itself.",
)
@click.option("--open", "shows", is_flag=True, help="Open the page in a browser at the end.")
@click.option(
    "--leaks",
    type=click.Choice(["fail", "report"]),
    default="fail",
    show_default=True,
    help="What becomes of a run whose server leaks connections or files.",
)
@click.option(
    "--limits",
    type=click.Choice(["report", "enforce"]),
    default="report",
    show_default=True,
    help="Whether a run fails when a `limits` of its scenario is exceeded.",
)
@click.option("--no-skip", is_flag=True, help="A scenario that the server cannot play is a failure.")
@click.option("-q", "--quiet", is_flag=True, help="Print the verdict line only.")
@click.option(
    "-v", "--verbose", count=True, help="Print every step and every check; -vv: all logs as they are written."
)
@click.option(
    "--json", "events", is_flag=True, help="Print JSON Lines, one an event; people read standard error."
)
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
    repeat: int,
    limits: Literal["report", "enforce"],
    *,
    watch: bool,
    html: Literal["failed", "all", "none"] | None,
    leaks: Literal["fail", "report"],
    summary: Path | None,
    shows: bool,
    no_skip: bool,
    quiet: bool,
    verbose: int,
    events: bool,
    color: Literal["auto", "always", "never"],
) -> None:
    """Play scenarios and judge them.

    PATH is a scenario file, a folder of them, or a tag: '#auth'. During a run on a terminal, the key t tells who
    is online and what is waited for.

    \b
    Examples:
      chatsim run scenarios/basic.yaml
      chatsim run scenarios/ -j 4 --speed max
      chatsim run scenarios/mine.yaml --watch
      chatsim run scenarios/basic.yaml --server "./my-server --port {port} --data {data}"
    """
    begun = time.monotonic_ns()
    settings = Settings(
        server=server,
        driver=driver,
        speed=speed,
        ready_within_s=ready_within,
        tolerates_leaks=leaks == "report",
    )
    launched = early.take(preload(server, driver))
    try:
        from harness.cli.performance import Performance  # noqa: PLC0415 - see the module's docstring

        performance = Performance(
            launched=launched,
            settings=settings,
            paths=tuple(paths),
            jobs=jobs or os.cpu_count() or 1,
            reports=reports,
            verbosity=min(verbose, 2) if verbose else -1 if quiet else 0,
            color=color,
            begun_ns=begun,
            repeat=repeat,
            events=events,
            no_skip=no_skip,
            html=html or ("all" if shows else "failed"),
            shows=shows,
            limits_decide=limits == "enforce",
            summary=summary,
        )
        plans = () if watch else performance.load(seed)
    except BaseException:  # also an exit with a code: the keeper was started before anything was read
        launched.abandon()
        raise
    if watch:
        from harness.cli.watch import play_and_watch  # noqa: PLC0415 - only who watches waits for it

        play_and_watch(performance, seed, lambda: early.take(preload(server, driver)))
    raise click.exceptions.Exit(int(performance.play(plans)))
