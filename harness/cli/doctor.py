"""`chatsim doctor`: look at what chatsim needs of this machine, and at what earlier runs left on it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from harness.cli.exit_codes import EPILOG, ExitCode
from harness.cli.sight import look_at
from harness.model.checkup import Finding, healthy
from harness.report.checkup import tell, to_json
from harness.report.look import ColorFlag
from harness.run import leftovers, machine


@click.command("doctor", epilog=EPILOG)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Where runs are to leave their folders.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, format chatsim.doctor.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(reports: Path, *, as_json: bool, color: ColorFlag) -> None:
    """Look whether this machine has what chatsim needs: kernel, limits, ports, programs, disk, leftovers.

    Changes nothing. Each thing that is not well has its remedy beside it. Exit code 0: chatsim can play here, perhaps
    with notes; 1: something must be mended.

    \b
    Examples:
      chatsim doctor
      chatsim doctor --json
    """
    findings = examine(reports)
    if as_json:
        click.echo(to_json(findings))
    else:
        look = look_at(sys.stdout, color)
        click.echo(tell(findings, look))
    raise click.exceptions.Exit(int(ExitCode.PASSED if healthy(findings) else ExitCode.FAILED))


def examine(reports: Path) -> list[Finding]:
    """Return everything that there is to say, most important first."""
    running = leftovers.seen()
    return [
        machine.versions(),
        machine.own_programs(),
        machine.kernel(),
        machine.open_files(),
        machine.processes(),
        machine.ports(),
        machine.usual_port(),
        machine.room(reports, "reports"),
        machine.scratch(),
        leftovers.processes(running),
        leftovers.directories(runs_go_on=bool(running)),
        machine.terminal(sys.stdout.encoding or "unknown", os.environ, isatty=sys.stdout.isatty()),
        *machine.optional(),
    ]
