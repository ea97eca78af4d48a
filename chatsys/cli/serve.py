"""``chatsys serve``. The options are those of ``chatsys.server.main``, which reads them."""

import click

from chatsys.server.main import main


@click.command(
    name="serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def serve(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Serve chatsys over gRPC."""
    context.exit(main(list(arguments)))
