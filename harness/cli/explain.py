"""`chatsim explain`: tell scenarios in plain words."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli import completion
from harness.cli.exit_codes import EPILOG
from harness.cli.scenarios import load_or_exit
from harness.model.plan import Plan
from harness.source.explain import explain


@click.command("explain", epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completion.scenarios)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="Seed; else the file's, or a new one."
)
def command(paths: Sequence[str], seed: int | None) -> None:
    """Tell what scenarios do, step by step, in plain words.

    \b
    Examples:
      chatsim explain scenarios/basic.yaml
      chatsim explain scenarios/storm.yaml --seed 7
    """
    files: dict[str, list[Plan]] = {}
    for plan in load_or_exit(paths, seed=seed):
        files.setdefault(plan.file, []).append(plan)
    # The rows of a matrix differ in little: the first is told, and the others are named.
    told = (explain(rows[0], [row.name for row in rows]) for rows in files.values())
    click.echo("\n".join(told))
