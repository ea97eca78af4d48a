"""From words to an exit code: what click raises becomes a sentence and a number."""

from __future__ import annotations

from collections.abc import Sequence

import click

from harness.cli.commands import chatsim
from harness.cli.exit_codes import ExitCode


def invoke(words: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        code = chatsim.main(args=list(words), prog_name="chatsim", standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    return int(code or 0)
