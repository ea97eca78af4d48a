"""``chatsys config``: the configuration that ``chatsys serve`` would have with the same options."""

import click

from chatsys.config.show import show, show_json
from chatsys.server.main import configure

ABOUT = """Print the configuration in effect as a TOML file, each value with where it comes from; nothing is started.
It takes the options of `chatsys serve`, and --json."""


@click.command(
    name="config",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def config(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Print the configuration in effect."""
    as_json = "--json" in arguments
    words = [word for word in arguments if word != "--json"]
    configuration = configure("chatsys config", ABOUT, words)
    if isinstance(configuration, int):
        context.exit(configuration)
    click.echo(show_json(configuration) if as_json else show(configuration), nl=as_json)
