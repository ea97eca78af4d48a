"""`chatsim selftest`: play systems that are broken on purpose, and show that each is convicted of exactly that."""

from __future__ import annotations

import asyncio
import dataclasses
import difflib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli import ground
from harness.cli.exhibition import SERVE, page_of, serving, write_exhibition
from harness.cli.exit_codes import EPILOG, ExitCode
from harness.cli.failing import CouldNotRunError
from harness.cli.row import Venue, play_row
from harness.cli.scenarios import load_or_exit
from harness.cli.sight import look_at
from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
from harness.model.plan import Plan
from harness.report.look import ColorFlag
from harness.report.matrix import GOOD, Exhibit, Trial, matrix, tried
from harness.report.typed import typed
from harness.run.own import OWN_DRIVER
from harness.run.settings import Settings
from harness.verbs.stage import together

DRIVE = "gallery.tells_wrongly"
#: Most of these runs wait for what does not come.
_JOBS_A_CORE = 2


@click.command("selftest", epilog=EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 256),
    default=None,
    help="Runs at a time.  [default: two for each core]",
)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where the runs leave their folder.",
)
@click.option(
    "--pages",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Leave the runs in this new folder instead, each with its page, and one that leads to them all.",
)
@click.option("--list", "listing", is_flag=True, help="Only say what there is, and play nothing.")
@click.option("--md", is_flag=True, help="With --list: as the Markdown page docs/gallery.md.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    names: Sequence[str],
    jobs: int | None,
    reports: Path,
    pages: Path | None,
    *,
    listing: bool,
    md: bool,
    color: ColorFlag,
) -> None:
    """Show that the judge can be trusted: play systems that are broken on purpose.

    Each must be convicted of exactly the kinds of violation that it declares, by each of its scenarios; with its
    fault switched off it must pass them. NAME chooses some of them. Exit code 1: some verdict was another one.

    \b
    Examples:
      chatsim selftest
      chatsim selftest --list
      chatsim selftest swallows echoes
      chatsim selftest --pages gallery swallows echoes
      chatsim run mine.yaml --server "python -m gallery.serve echoes --data {data}"
    """
    exhibits = _chosen(_gallery(), names)
    if md and not listing:
        raise click.UsageError("--md is for --list")
    if md:
        click.echo(page_of(exhibits), nl=False)
        return
    if listing:
        for exhibit in exhibits:
            kinds = ", ".join(sorted(exhibit.kinds | exhibit.others))
            click.echo(f"{exhibit.name}: {exhibit.does} ({kinds})")
        return
    look = look_at(sys.stdout, color)
    begun = time.monotonic()
    folder, trials = _play(exhibits, names, jobs or _JOBS_A_CORE * (os.cpu_count() or 1), reports, pages)
    for line in matrix(trials, time.monotonic() - begun, look, whole=not names):
        click.echo(line)
    if pages is not None:
        click.echo(f"  page    {write_exhibition([Path(trial.directory) for trial in trials], pages)}")
    else:
        ground.lead_to(folder)
        click.echo(f"  report  {folder}")
    ok = all(trial.ok for trial in trials)
    raise click.exceptions.Exit(int(ExitCode.PASSED if ok else ExitCode.FAILED))


def _gallery() -> list[Exhibit]:
    """Ask the gallery what it declares; it runs in a process of its own, for it is made of servers."""
    ran = subprocess.run([sys.executable, "-m", "gallery"], capture_output=True, text=True, check=False)
    try:
        return [Exhibit.from_json(item) for item in json.loads(ran.stdout)]
    except (ValueError, KeyError, TypeError) as fault:
        said = ran.stderr.strip().rpartition("\n")[2]
        raise CouldNotRunError(f"the gallery of broken servers cannot be read: {said or fault}") from fault


def _chosen(gallery: Sequence[Exhibit], names: Sequence[str]) -> list[Exhibit]:
    known = {exhibit.name for exhibit in gallery}
    if strange := [name for name in names if name not in known]:
        near = difflib.get_close_matches(strange[0], known, 1)
        listing = f"`{typed(['chatsim', 'selftest', '--list'])}` says what there is"
        help_ = f"did you mean {near[0]}?" if near else listing
        raise click.UsageError(f"no broken server is called {', '.join(strange)}; {help_}")
    return [exhibit for exhibit in gallery if not names or exhibit.name in names]


def _play(
    exhibits: Sequence[Exhibit], names: Sequence[str], jobs: int, reports: Path, pages: Path | None
) -> tuple[Path, list[Trial]]:
    """Play them, and return the folder that holds the rows, with how each ended."""
    plans = {
        path: load_or_exit([path], drawn_seed=0)
        for path in dict.fromkeys(path for exhibit in exhibits for path in exhibit.scenarios)
    }
    if pages is not None and pages.is_dir() and any(pages.iterdir()):
        raise click.UsageError(f"{pages} is not empty; name a new folder with --pages")
    with ground.kept(launch(os.urandom(6).hex(), (SERVE, OWN_DRIVER))) as keeper:
        folder = ground.folder(reports, keeper.run) if pages is None else _made(pages)
        return folder, asyncio.run(_try_all(exhibits, names, plans, keeper, folder, jobs))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise click.UsageError(
            f"cannot write to {folder}: {fault.strerror}; choose another with --pages"
        ) from fault
    return folder


async def _try_all(
    exhibits: Sequence[Exhibit],
    names: Sequence[str],
    plans: dict[str, tuple[Plan, ...]],
    keeper: Keeper,
    folder: Path,
    jobs: int,
) -> list[Trial]:
    await keeper.attach()
    places = asyncio.Semaphore(jobs)
    number = iter(range(1, 1 << 32))

    async def attempt(exhibit: Exhibit, plan: Plan, *, sound: bool) -> Trial:
        async with places:
            system, does = (GOOD, "nothing is wrong with it") if sound else (exhibit.name, exhibit.does)
            venue = Venue(
                run=keeper.run,
                folder=folder,
                settings=_settings(exhibit, plan, sound=sound),
                command=("chatsim", "selftest", *names),
                keeper=keeper,
                system={"name": system, "does": does},
            )
            called = dataclasses.replace(plan, name=f"{system}: {plan.name}")
            row = await play_row(venue, called, f"{keeper.run[:8]}{next(number):x}")
        return tried(
            None if sound else exhibit, plan.name, row.judgement, row.status, row.reason, row.directory
        )

    try:
        convicting = [
            attempt(exhibit, _telling(plans[path]), sound=False)
            for exhibit in exhibits
            for path in exhibit.scenarios
        ]
        # Without its fault each is the same good server: one stands for all that a scenario is played against.
        by_path = {path: exhibit for exhibit in exhibits for path in exhibit.scenarios}
        passing = [
            attempt(exhibit, plan, sound=True) for path, exhibit in by_path.items() for plan in plans[path]
        ]
        return await together([*convicting, *passing])
    finally:
        await keeper.close()


def _telling(rows: Sequence[Plan]) -> Plan:
    """Return the row that must convict: by polling, some faults of a stream cannot show."""
    return next((plan for plan in rows if not plan.name.endswith("[poll]")), rows[0])


def _settings(exhibit: Exhibit, plan: Plan, *, sound: bool) -> Settings:
    driver = None
    if exhibit.drives:
        driver = shlex.join([sys.executable, "-m", DRIVE, exhibit.name, *(["--sound"] if sound else [])])
    words = (exhibit.name, "--sound") if sound or exhibit.drives else (exhibit.name,)
    by_hand = "" if sound or exhibit.drives else _by_hand(exhibit.name, plan)
    return Settings(server_module=SERVE, server_words=words, server_typed=by_hand, driver=driver, speed=None)


def _by_hand(name: str, plan: Plan) -> str:
    """Return the server command for `chatsim run` that starts the same broken server."""
    options = ["--port {port}", "--data {data}"]
    options += ["--auth tokens"] if plan.looks_at_tokens else []
    options += ["--options {options}"] if plan.options else []
    return serving(name, *options)
