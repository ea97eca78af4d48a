"""`chatsys poll`: print what is unread, acknowledge it, end."""

from __future__ import annotations

import time

import click

from chatsys.cli.talking import SECONDS, Who, identify, lapses, make_client, play, reading, show, talking


@click.command(
    epilog="""\b
Examples:
  chatsys poll --server 127.0.0.1:7777 --user bob
  chatsys poll --user bob --room lobby --wait 30       # up to 30 s for a first message
  chatsys poll --user bob --no-ack --json              # look without having read"""
)
@click.option("--wait", type=SECONDS, default=0.0, help="Wait so long for a first message. [default: 0]")
@click.option("--max", "most", type=click.IntRange(1), help="Print at most so many messages.")
@reading
@talking
def poll(
    rooms: tuple[str, ...],
    wait: float,
    most: int | None,
    consumer: str,
    own: bool,  # noqa: FBT001 - click passes options by name
    acks: bool,  # noqa: FBT001 - the same
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - the same
) -> None:
    """Print the messages you have not read yet, oldest first in each room."""
    who = identify(server, user, token, timeout)
    play(_poll(who, rooms, wait, most, consumer, own=own, acks=acks, as_json=as_json))


async def _poll(
    who: Who,
    rooms: tuple[str, ...],
    wait: float,
    most: int | None,
    consumer: str,
    *,
    own: bool,
    acks: bool,
    as_json: bool,
) -> None:
    async with make_client(who, consumer=consumer, include_own=own) as client:
        due: dict[str, int] = {}
        ended: dict[str, int] = {}
        count = 0
        deadline = time.monotonic() + wait
        while True:
            # The server waits 30 s at most; nothing in that time is not yet an end.
            left = max(0.0, deadline - time.monotonic()) if not count else 0.0
            limit = 0 if most is None else most - count
            polled = await client.poll(rooms=rooms, max_messages=limit, wait=left, within=left + who.timeout)
            for delta in polled.deltas:
                for message in delta.messages:
                    show(message, as_json=as_json)
                    count += 1
                for sentence in lapses(delta):
                    click.echo(f"chatsys: {sentence}", err=True)
                if delta.ended:
                    ended[delta.room] = delta.through
                elif delta.messages:
                    due[delta.room] = delta.through
            waited = count or time.monotonic() >= deadline
            if (polled.caught_up and waited) or (most is not None and count >= most):
                break
        if acks and (due or ended):
            await client.ack_now(due, ended, within=who.timeout)
