"""The group of commands: each is a module of its own, imported when it is called, so that `--help` stays quick."""

from __future__ import annotations

import difflib
import importlib

import click

from harness import __version__
from harness.cli.exit_codes import EPILOG

COMMANDS = {
    "run": ("harness.cli.run", "play scenarios and judge them"),
    "check": ("harness.cli.check", "find faults in scenario files, start nothing"),
    "explain": ("harness.cli.explain", "tell a scenario in plain words"),
    "list": ("harness.cli.list", "show scenarios, their tags and files"),
    "new": ("harness.cli.new", "write a commented scenario to begin with"),
    "schema": ("harness.cli.schema", "print the JSON Schema of scenarios, for editors"),
    "replay": ("harness.cli.replay", "play a recorded run in the terminal, at its own pace"),
    "doctor": ("harness.cli.doctor", "look at this machine: limits, ports, versions, leftovers"),
    "demo": ("harness.cli.demo", "watch it work: a pass, a failure and its page"),
    "selftest": ("harness.cli.selftest", "convict servers that are broken on purpose"),
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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; for one that is not there, say which was probably meant."""
        near = difflib.get_close_matches(args[0], COMMANDS, 1) if args and args[0] not in COMMANDS else []
        if near and not args[0].startswith("-"):
            ctx.fail(f"no command is called {args[0]!r}; did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

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
