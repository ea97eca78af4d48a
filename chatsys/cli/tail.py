"""`chatsys tail`: print messages as they come, until stopped."""

from __future__ import annotations

import asyncio

import click

from chatsys.cli.talking import Who, identify, lapses, make_client, play, reading, show, talking


@click.command(
    epilog="""\b
Examples:
  chatsys tail --server 127.0.0.1:7777 --user bob
  chatsys tail --user bob --room lobby --json | jq .text
  chatsys tail --user bob --count 1                    # wait for one message"""
)
@click.option("--count", type=click.IntRange(1), help="End after so many messages.")
@reading
@talking
def tail(
    rooms: tuple[str, ...],
    count: int | None,
    consumer: str,
    own: bool,  # noqa: FBT001 - click passes options by name
    acks: bool,  # noqa: FBT001 - the same
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - the same
) -> None:
    """Print what you have not read yet, then every message as it comes, until Ctrl-C.

    Stays through restarts of the server and failures of the network.
    """
    who = identify(server, user, token, timeout)
    play(_tail(who, rooms, count, consumer, own=own, acks=acks, as_json=as_json))


async def _tail(
    who: Who,
    rooms: tuple[str, ...],
    count: int | None,
    consumer: str,
    *,
    own: bool,
    acks: bool,
    as_json: bool,
) -> None:
    async with make_client(who, consumer=consumer, include_own=own) as client:
        # A first look, so that a wrong address is told instead of being tried for ever.
        await client.server_info(within=who.timeout)
        try:
            async for message in client.receive(rooms=rooms, acks=False, notices=_notice):
                show(message, as_json=as_json)
                if acks:
                    client.ack(message.room_id, message.sequence)
                count = count - 1 if count is not None else None
                if count == 0:
                    break
        finally:
            await asyncio.shield(client.flush_acks(within=1.0))


def _notice(notice: object) -> None:
    from chatsys.client import Delta, EpochChanged, Lost, Restored  # noqa: PLC0415 - --help does without gRPC

    match notice:
        case Lost(fault):
            sentences = [f"connection lost ({fault}); trying again"]
        case Restored():
            sentences = ["connected again"]
        case EpochChanged():
            sentences = ["the server's log is another one now; reading from what it says is unread"]
        case Delta():
            sentences = lapses(notice)
        case _:
            return
    for sentence in sentences:
        click.echo(f"chatsys: {sentence}", err=True)
