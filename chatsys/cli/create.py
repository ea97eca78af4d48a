"""`chatsys create`: make a room, with the people who are in it from the start."""

from __future__ import annotations

import json

import click

from chatsys.cli.talking import Who, identify, make_client, play, talking


@click.command(
    epilog="""\b
Examples:
  chatsys create --server 127.0.0.1:7777 --user alice lobby bob chad
  chatsys create --user alice garden --open            # whoever likes may join"""
)
@click.option("--open", "is_open", is_flag=True, help="Anybody may join. [default: by invitation]")
@talking
@click.argument("room")
@click.argument("members", nargs=-1, metavar="[USER]...")
def create(
    is_open: bool,  # noqa: FBT001 - click passes options by name
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - the same
    room: str,
    members: tuple[str, ...],
) -> None:
    """Make ROOM, whose admin you are, with each USER as a member.

    The id of a room is 1 to 63 characters of a-z, 0-9 and -.
    """
    who = identify(server, user, token, timeout)
    play(_create(who, room, members, is_open=is_open, as_json=as_json))


async def _create(who: Who, room: str, members: tuple[str, ...], *, is_open: bool, as_json: bool) -> None:
    from chatsys.v1.types_pb2 import JoinPolicy  # noqa: PLC0415 - --help does without gRPC

    policy = JoinPolicy.JOIN_POLICY_OPEN if is_open else JoinPolicy.JOIN_POLICY_INVITE
    async with make_client(who) as client:
        made, _ = await client.create_room(room, members=members, entry=policy, within=who.timeout)
    if as_json:
        click.echo(json.dumps({"room": made.room_id, "open": is_open, "members": list(members)}))
    else:
        entry = "open to all" if is_open else "by invitation"
        click.echo(f"{made.room_id}: made, {entry}")
