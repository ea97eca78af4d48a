"""`chatsim replay`: play a recorded conversation in the terminal, at its own pace."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from harness import archive
from harness.cli import completion, values
from harness.cli.derive import remember
from harness.cli.exit_codes import EPILOG, ExitCode
from harness.cli.recorded import one_row, settled
from harness.cli.sight import look_at
from harness.outlet import is_read
from harness.report.look import ColorFlag
from harness.report.replay import Frame, Retelling
from harness.report.text import safe
from harness.report.typed import typed


@click.command("replay", epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path), default=Path("reports/latest"))
@click.option(
    "--row",
    default=None,
    metavar="NAME",
    shell_complete=completion.rows,
    help="Which scenario, of a run that has several.",
)
@click.option(
    "--speed",
    callback=values.speed,
    metavar="FACTOR|max",
    default="auto",
    help="2x: twice as fast; max: do not wait.  [default: 1x on a terminal, else max]",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(directory: Path, row: str | None, *, speed: float | None, color: ColorFlag) -> None:
    """Play a recorded conversation in the terminal, at its own pace. Starts nothing and writes nothing.

    DIRECTORY is the folder of a run, or of one scenario in it; without it, the latest run. Of several scenarios,
    the only one that did not pass is played, unless --row names another. Ctrl-C ends it.

    Exit code 0: all of it was played. 2: something of the record is missing or damaged, which is said.

    \b
    Examples:
      chatsim replay
      chatsim replay --speed 2x
      chatsim replay reports/latest --row basic[poll]
    """
    look = look_at(sys.stdout, color)
    folder = one_row(settled(directory), row)
    report, fault = remember(folder)
    retelling = Retelling(report, look)
    for line in retelling.opening():
        click.echo(line)
    for line in paced(retelling.frames(archive.Salvage(folder)), speed):
        click.echo(line)
        if not is_read(sys.stdout):
            break
    for line in retelling.closing(partial=fault):
        click.echo(line)
    if fault:
        raise click.exceptions.Exit(int(ExitCode.USAGE))
    page = folder / "index.html"
    told = str(page) if page.is_file() else typed(["chatsim", "report", str(folder), "--open"])
    click.echo(f"  page       {safe(told)}")


def paced(
    frames: Iterable[Frame],
    speed: float | None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the lines of frames, each when it is due.

    Args:
        frames: in the order of their moments.
        speed: seconds of the run a second; None: at once.
        clock: seconds.
        sleep: waits so many seconds.
    """
    begun = clock()
    for frame in frames:
        if speed is not None:
            sys.stdout.flush()  # a pipe, say, whose reader wants to follow
            ahead = frame.time_ns / 1e9 / speed - (clock() - begun)
            if ahead > 0:
                sleep(ahead)
        yield from frame.lines
