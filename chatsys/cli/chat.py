"""`chatsys chat`: a person's terminal client."""

from __future__ import annotations

import asyncio
import logging
import sys

import click

from chatsys.cli.talking import Who, identify, make_client, play, talking


@click.command(
    epilog="""\b
Examples:
  chatsys chat --server 127.0.0.1:7777 --user alice
  chatsys chat --user alice --consumer laptop          # reads apart from your other devices

\b
Keys: Enter sends · Tab and Ctrl-N, Ctrl-P: rooms · PageUp, PageDown: history · Ctrl-C: quit
Marks: … on its way · ✓ stored · ! failed (/again sends it once more, and it is stored once)"""
)
@click.option(
    "--consumer", default="chat", show_default=True, help="Read as this device, with a cursor of its own."
)
@talking
def chat(
    consumer: str,
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - click passes options by name
) -> None:
    """Chat: your rooms with what is unread in each, and a line to type in.

    Stays through restarts of the server and failures of the network. What you have looked at counts as read.
    """
    who = identify(server, user, token, timeout)
    if as_json:
        raise click.UsageError("chat is for people; for programs there are send, poll and tail.")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("chat needs a terminal; for programs there are send, poll and tail.")
    play(_chat(who, consumer))


async def _chat(who: Who, consumer: str) -> None:
    # prompt_toolkit takes a while to import; --help does without.
    from chatsys.chat.model import Model  # noqa: PLC0415  # imported when it is needed, see above
    from chatsys.chat.screen import Screen  # noqa: PLC0415  # imported when it is needed, see above
    from chatsys.chat.session import Session  # noqa: PLC0415  # imported when it is needed, see above

    # What a library has to say must not be written over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    async with make_client(who, consumer=consumer, include_own=True) as client:
        # A first look, so that a wrong address is told instead of being tried for ever.
        await client.server_info(within=who.timeout)
        # The id is the token's, where there is one.
        model = Model(who.user or (await client.get_user(within=who.timeout)).user_id)
        screen = Screen(model)
        session = screen.session = Session(client, model, screen.redraw)
        drawing = asyncio.create_task(screen.application.run_async(handle_sigint=False))
        reading = asyncio.create_task(session.run())
        leaving = asyncio.create_task(session.quit.wait())
        try:
            await asyncio.wait((drawing, reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if screen.application.is_running:
                screen.application.exit()
            await asyncio.gather(drawing, return_exceptions=True)
            leaving.cancel()
            await session.close()
            if not reading.done():
                reading.cancel()
        if reading.done() and not reading.cancelled():
            reading.result()  # why it ended, for play() to say
