"""`chatsim check`: find every fault in scenario files, start nothing; or try a driver on its protocol."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli import completion, values
from harness.cli.exit_codes import EPILOG
from harness.cli.scenarios import loaded_or_exit
from harness.report.look import ColorFlag
from harness.report.text import count


@click.command("check", epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="PATH...", shell_complete=completion.scenarios)
@click.option(
    "--driver",
    callback=values.program,
    metavar="CMD",
    default=None,
    help="Try this driver on the rules of docs/driver-protocol.md.",
)
@click.option(
    "--server",
    callback=values.program,
    metavar="CMD|ADDRESS",
    default=None,
    help="With --driver: hold a short conversation too.",
)
@click.option("--strict", is_flag=True, help="A warning counts as a fault.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when all is well.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(
    paths: Sequence[str],
    *,
    driver: str | None,
    server: str | None,
    strict: bool,
    quiet: bool,
    color: ColorFlag,
) -> None:
    """Find every fault in scenario files, and start nothing; or try a driver.

    \b
    Examples:
      chatsim check scenarios/
      chatsim check scenarios/basic.yaml && echo well written
      chatsim check --driver ./mydriver --server "./myserver {port}"
    """
    if driver is not None:
        if paths:
            raise click.UsageError("either scenarios or a driver: leave out PATH, or --driver")
        from harness.cli.conformance import check_driver  # noqa: PLC0415 - starts processes, and imports for it

        raise click.exceptions.Exit(int(check_driver(driver, server, color=color, quiet=quiet)))
    if server is not None:
        raise click.UsageError("--server goes with --driver")
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    loaded = loaded_or_exit(paths, color=color, strict=strict)
    if not quiet:
        files = count(len({plan.file for plan in loaded.plans}), "file")
        warnings = count(len(loaded.diagnostics), "warning")
        result = f"no error, {warnings}" if loaded.diagnostics else "no problem found"
        click.echo(f"{files}, {count(len(loaded.plans), 'scenario')}: {result}")
