"""`chatsys members`: who is in a room, and as what."""

from __future__ import annotations

import json

import click

from chatsys.cli.talking import Who, identify, make_client, play, safe, talking


@click.command(
    epilog="""\b
Examples:
  chatsys members --server 127.0.0.1:7777 --user bob lobby
  chatsys members --user bob lobby --json | jq -r .user"""
)
@talking
@click.argument("room")
def members(
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - click passes options by name
    room: str,
) -> None:
    """List the members of ROOM with their roles."""
    who = identify(server, user, token, timeout)
    play(_members(who, room, as_json=as_json))


async def _members(who: Who, room: str, *, as_json: bool) -> None:
    from chatsys.v1.types_pb2 import MemberRole  # noqa: PLC0415 - --help does without gRPC

    async with make_client(who) as client:
        found = await client.list_members(room, within=who.timeout)
    for member in found:
        role = MemberRole.Name(member.role).removeprefix("MEMBER_ROLE_").lower()
        if as_json:
            line = {
                "room": room,
                "user": member.user_id,
                "display_name": member.display_name,
                "role": role,
                "join_sequence": member.join_sequence,
            }
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            name = f" ({safe(member.display_name)})" if member.display_name else ""
            click.echo(f"{member.user_id}{name}: {role}")
