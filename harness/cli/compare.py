"""`chatsim report --compare A B`: two runs of one plan, what each member saw differently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness import archive
from harness.cli.derive import remember
from harness.cli.exit_codes import ExitCode
from harness.cli.recorded import rows
from harness.report.compare import Side, compare, tell
from harness.report.look import Look
from harness.report.text import count
from harness.report.views import views_of


def compare_runs(a: Path, b: Path, look: Look) -> ExitCode:
    """Print how two runs differ, row by row, and return how the command ends.

    Args:
        a: the folder of a run, or of one scenario in it.
        b: another; their rows are paired by name, two single rows whatever they are called.
        look: how to draw.

    Returns:
        As diff: 0 when there is no difference but in time, 1 when there is one, 2 when something cannot be read.

    Raises:
        click.UsageError: no run is there, or no row of one is in the other.
    """
    pairs, alone = _pairs(rows(a), rows(b))
    if not pairs:
        raise click.UsageError(f"{a} and {b} have no scenario in common; compare two runs of the same")
    equal, whole = not alone, True
    for place, (ours, others) in enumerate(pairs):
        sides = _side(ours), _side(others)
        found = compare(*sides)
        if len(pairs) > 1:
            click.echo(("" if place == 0 else "\n") + look.paint(f"── {ours.name}", "bold"))
        click.echo(tell(*sides, found, look))
        equal = equal and found.equal and not found.plans
        whole = whole and not any(side.partial for side in sides)
    for told in alone:
        click.echo(told)
    if len(pairs) > 1:
        click.echo(
            f"{count(len(pairs), 'scenario')} compared: {'only times differ' if equal else 'they differ'}"
        )
    if not whole:
        return ExitCode.USAGE
    return ExitCode.PASSED if equal else ExitCode.FAILED


def _pairs(a: Sequence[Path], b: Sequence[Path]) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return the rows that belong together, and a line for each that stands alone."""
    if len(a) == len(b) == 1:
        return [(a[0], b[0])], []
    others = {row.name: row for row in b}
    pairs = [(row, others[row.name]) for row in a if row.name in others]
    paired = {row.name for row, _ in pairs}
    alone = [
        f"only in {mark}: {row.name}"
        for mark, rows in (("A", a), ("B", b))
        for row in rows
        if row.name not in paired
    ]
    return pairs, alone


def _side(folder: Path) -> Side:
    report, fault = remember(folder)
    return Side(str(folder), report, views_of(report.plan, archive.Salvage(folder)), fault)
