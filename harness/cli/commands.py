"""The group of commands: each is a module of its own, imported when it is called, so that `--help` stays quick."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from harness import __version__
from harness.cli import interrupts
from harness.cli.exit_codes import EPILOG

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Heading -> command -> (its module, what it does), in reading order.
GROUPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Play": {
        "demo": ("harness.cli.demo", "see it work in ten seconds: a pass, a failure and its page"),
        "run": ("harness.cli.run", "play scenarios and judge them"),
        "selftest": ("harness.cli.selftest", "convict servers that are broken on purpose"),
    },
    "Write": {
        "new": ("harness.cli.new", "write a commented scenario to begin with"),
        "check": ("harness.cli.check", "find faults in scenario files, start nothing"),
        "explain": ("harness.cli.explain", "tell a scenario as a little play"),
        "list": ("harness.cli.list", "show scenarios and their tags"),
        "schema": ("harness.cli.schema", "print JSON Schemas: of scenarios for editors, of reports"),
    },
    "Look": {
        "report": ("harness.cli.report", "judge a recorded run again, or compare two"),
        "replay": ("harness.cli.replay", "play a recorded run in the terminal, at its own pace"),
        "doctor": ("harness.cli.doctor", "look at this machine: limits, ports, versions, leftovers"),
    },
}
COMMANDS = {name: made for group in GROUPS.values() for name, made in group.items()}


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
        if cmd_name != "run":  # which has most of its importing before it
            interrupts.orderly()
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
        width = max(map(len, COMMANDS))
        for heading, group in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), summary) for name, (_, summary) in group.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command from the table, importing none of them."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only while a shell waits for it

        found = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found or click.Command.shell_complete(self, ctx, incomplete)


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
    Try it:   chatsim demo                          a pass, a failure and its page
              chatsim new mine.yaml                 a scenario of your own, with comments
              chatsim run mine.yaml                 play it
              chatsim replay                        see the latest run once more
              chatsim report --open                 its page
    """
