"""`chatsim check`: find every fault in scenario files, start nothing."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli.exit_codes import EPILOG
from harness.cli.scenarios import load_or_exit
from harness.report.look import ColorFlag
from harness.report.text import count


@click.command("check", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when all is well.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(paths: Sequence[str], *, quiet: bool, color: ColorFlag) -> None:
    """Find every fault in scenario files, and start nothing.

    \b
    Examples:
      chatsim check scenarios/
      chatsim check scenarios/basic.yaml && echo well written
    """
    plans = load_or_exit(paths, color=color)
    if not quiet:
        files = len({plan.file for plan in plans})
        click.echo(f"{count(files, 'file')}, {count(len(plans), 'scenario')}: no problem found")
