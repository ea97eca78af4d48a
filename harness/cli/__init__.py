"""The command `chatsim`: thin commands over source, run, judge and report.

Each command is a module of its own, imported when it is called, so that `chatsim --help` stays quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from harness import __version__
from harness.cli.exit_codes import EPILOG, ExitCode

COMMANDS = {
    "run": ("harness.cli.run", "play scenarios and judge them"),
    "check": ("harness.cli.check", "find faults in scenario files, start nothing"),
    "explain": ("harness.cli.explain", "tell a scenario in plain words"),
    "list": ("harness.cli.list", "show scenarios, their tags and files"),
    "report": ("harness.cli.report", "judge a recorded run again, without starting anything"),
}


class Commands(click.Group):
    """A group whose commands are imported when they are needed, in the order of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(
    "chatsim",
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", message="chatsim %(version)s")
def chatsim() -> None:
    """Play chat scenarios against a real server, with real processes, and judge what everyone received.

    \b
    Try it:   chatsim run scenarios/basic.yaml
              chatsim explain scenarios/basic.yaml
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code (console script `chatsim`)."""
    try:
        code = chatsim.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="chatsim",
            standalone_mode=False,
        )
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as fault:
        fault.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, `| head` say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.PASSED
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written and every process has ended: taking the interpreter apart would only cost time.
    os._exit(int(code or 0))
