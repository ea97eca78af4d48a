"""``chatsys``: the command line. A group whose commands are imported when they are called.

A command ``name`` is the click command ``chatsys.cli.name.name``; its line in the help is in the
table here, so that ``chatsys --help`` imports nothing.
"""

import importlib

import click

import chatsys

COMMANDS = {
    "serve": "Serve chatsys over gRPC.",
    "config": "Print the configuration in effect.",
    "send": "Send a message to a room.",
    "poll": "Read what is unread.",
    "chat": "Chat, in a terminal.",
    "tail": "Follow what is said.",
    "create": "Make a room.",
    "rooms": "List your rooms and what is unread in each.",
    "members": "List who is in a room.",
    "explain-delivery": "Say why somebody has a message or has not.",
    "token": "Make, look into and revoke tokens; make keys.",
    "health": "Ask a server whether it serves.",
    "check": "Read a whole log and say what is wrong with it.",
    "backup": "Copy a log while its server goes on.",
    "restore": "Put a backup in the place of a log.",
}
"""Command names and their help lines, in the order of the help."""


class _LazyGroup(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names in the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(importlib.import_module(f"chatsys.cli.{name}"), name)
        assert isinstance(command, click.Command), f"chatsys.cli.{cmd_name} has no click command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """The table, without importing what is in it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup)
@click.version_option(chatsys.__version__, prog_name="chatsys")
def _chatsys() -> None:
    """A group-chat server and its clients."""


def main(args: list[str] | None = None) -> None:
    """Runs the command line and ends the process.

    Args:
        args: Arguments without the name of the program; those of the process when None.
    """
    _chatsys.main(args=args, prog_name="chatsys")
