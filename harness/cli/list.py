"""`chatsim list`: which scenarios there are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli import completion
from harness.cli.exit_codes import EPILOG
from harness.cli.scenarios import load_or_exit
from harness.cli.sight import look_at
from harness.report.index import index
from harness.report.text import clip, count, pad, safe, width
from harness.report.typed import typed


@click.command("list", epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="[PATH...]", shell_complete=completion.scenarios)
@click.option("--md", is_flag=True, help="Print an index as Markdown, links relative to the first PATH.")
def command(paths: Sequence[str], *, md: bool) -> None:
    """Show scenarios: their names, titles and tags. Without PATH, those of the folder scenarios.

    \b
    Examples:
      chatsim list scenarios/
      chatsim list --md scenarios > scenarios/README.md
    """
    if not paths and not Path("scenarios").is_dir():
        raise click.UsageError(
            "there is no folder scenarios here; name one or a file, or begin one: "
            + typed(["chatsim", "new", "scenarios/mine.yaml"])
        )
    plans = load_or_exit(paths or ["scenarios"])
    if md:
        first = Path(paths[0] if paths else "scenarios")
        click.echo(index(plans, first if first.is_dir() else first.parent), nl=False)
        return
    look = look_at(sys.stdout)
    names = max(width(safe(plan.name)) for plan in plans)
    room = max(20, look.width - names - 2)
    for plan in plans:
        tags = safe("".join(f"  #{tag}" for tag in plan.tags))
        title = safe(plan.title)
        if sys.stdout.isatty():  # what a program reads is not cut
            title = clip(title, max(20, room - width(tags)))
        click.echo(f"{look.paint(pad(safe(plan.name), names), 'bold')}  {title}{tags}".rstrip())
    click.echo(f"{count(len(plans), 'scenario')}", err=True)
