"""`chatsim explain`: tell scenarios in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli.exit_codes import EPILOG
from harness.cli.scenarios import load_or_exit
from harness.source.explain import explain


@click.command("explain", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def command(paths: Sequence[str]) -> None:
    """Tell what scenarios do, step by step, in plain words.

    \b
    Example:
      chatsim explain scenarios/basic.yaml
    """
    click.echo("\n".join(explain(plan) for plan in load_or_exit(paths)))
