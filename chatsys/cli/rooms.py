"""`chatsys rooms`: your rooms, and what is unread in each."""

from __future__ import annotations

import json

import click

from chatsys.cli.talking import Who, identify, make_client, play, safe, talking


@click.command(
    epilog="""\b
Examples:
  chatsys rooms --server 127.0.0.1:7777 --user bob
  chatsys rooms --user bob --open --json | jq -r .room"""
)
@click.option("--open", "include_open", is_flag=True, help="Also the rooms that anybody may join.")
@click.option("--consumer", default="", help="Count what this device has not read.")
@talking
def rooms(
    include_open: bool,  # noqa: FBT001 - click passes options by name
    consumer: str,
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - the same
) -> None:
    """List your rooms with the number of messages that you have not read."""
    who = identify(server, user, token, timeout)
    play(_rooms(who, consumer, include_open=include_open, as_json=as_json))


async def _rooms(who: Who, consumer: str, *, include_open: bool, as_json: bool) -> None:
    from chatsys.v1.types_pb2 import JoinPolicy  # noqa: PLC0415 - --help does without gRPC

    async with make_client(who, consumer=consumer) as client:
        found = await client.list_rooms(include_open=include_open, within=who.timeout)
        cursors = {each.room_id: each for each in await client.list_cursors(within=who.timeout)}
    for room in found:
        cursor = cursors.get(room.room_id)
        unread = None if cursor is None else cursor.unread_count
        if as_json:
            line = {
                "room": room.room_id,
                "display_name": room.display_name,
                "member": cursor is not None,
                "unread": unread,
                "acked_sequence": None if cursor is None else cursor.acked_sequence,
                "head_sequence": room.head_sequence,
                "first_sequence": room.first_sequence,
                "open": room.join_policy == JoinPolicy.JOIN_POLICY_OPEN,
                "direct": room.direct,
            }
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            # The count stops there, and says so.
            count = (
                "not yours"
                if unread is None
                else "1000 or more unread"
                if unread >= 1_000
                else f"{unread} unread"
            )
            name = f" ({safe(room.display_name)})" if room.display_name else ""
            click.echo(f"{room.room_id}{name}: {count}")
