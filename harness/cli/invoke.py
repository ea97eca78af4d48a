"""From words to an exit code: what click raises becomes a sentence and a number."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from harness.cli.commands import chatsim
from harness.cli.exit_codes import ExitCode
from harness.report.typed import typed

#: Environment variable by which a shell asks for completions, and for the lines that make it ask.
COMPLETE_VARIABLE = "_CHATSIM_COMPLETE"


def _called() -> str:
    """Return what a person types for `chatsim`; a shell completes the plain name only."""
    return "chatsim" if COMPLETE_VARIABLE in os.environ else typed(["chatsim"])


def _check(words: Sequence[str]) -> None:
    """Refuse what no record could hold: bytes that are no text, as the name of a file may be."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as fault:
            raise click.UsageError(
                f"{word.encode('utf-8', 'backslashreplace').decode()} is not UTF-8, as all that chatsim records is: "
                "give it another name"
            ) from fault


def invoke(words: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        _check(words)
        code = chatsim.main(
            args=list(words), prog_name=_called(), standalone_mode=False, complete_var=COMPLETE_VARIABLE
        )
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    return int(code or 0)
