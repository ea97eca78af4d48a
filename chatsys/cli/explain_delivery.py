"""`chatsys explain-delivery`: why has Doug not got 41?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from chatsys.cli.talking import Who, identify, make_client, play, talking

if TYPE_CHECKING:  # gRPC takes 60 ms to import; --help does without
    from chatsys.v1.admin_pb2 import DeliveryState


@click.command(
    name="explain-delivery",
    epilog="""\b
Examples:
  chatsys explain-delivery --room lobby 41              # everybody who is or was in the room
  chatsys explain-delivery --room lobby --of doug 41    # doug, on each of his devices""",
)
@click.option("--room", required=True, help="The room of the message.")
@click.option("--of", "whom", default="", help="Only this user. [default: all members, past and present]")
@talking
@click.argument("sequence", type=click.IntRange(1))
def explain_delivery(
    room: str,
    whom: str,
    server: str,
    user: str | None,
    token: str | None,
    timeout: float,
    as_json: bool,  # noqa: FBT001 - click passes options by name
    sequence: int,
) -> None:
    """Say of message SEQUENCE of a room what became of it for everybody, and why.

    Needs the admin scope. Deliveries are known since the server started.
    """
    who = identify(server, user, token, timeout)
    play(_explain(who, room, sequence, whom, as_json=as_json))


async def _explain(who: Who, room: str, sequence: int, whom: str, *, as_json: bool) -> None:
    from chatsys.v1.admin_pb2 import DeliveryOutcome  # noqa: PLC0415 - see above

    async with make_client(who) as client:
        states = await client.explain_delivery(room, sequence, user=whom, within=who.timeout)
    for state in states:
        outcome = (
            DeliveryOutcome.Name(state.outcome).removeprefix("DELIVERY_OUTCOME_").lower().replace("_", " ")
        )
        if as_json:
            click.echo(json.dumps(_json(state, outcome), ensure_ascii=False))
        else:
            device = f" on {state.consumer_id}" if state.consumer_id else ""
            times = f" ({state.deliver_count} times)" if state.deliver_count > 1 else ""
            click.echo(f"{state.user_id}{device}: {outcome}{times}: {state.explanation}")


def _json(state: DeliveryState, outcome: str) -> dict[str, object]:
    return {
        "user": state.user_id,
        "consumer": state.consumer_id,
        "outcome": outcome,
        "explanation": state.explanation,
        "acked_sequence": state.acked_sequence,
        "connected": state.connected,
        "deliver_count": state.deliver_count,
        "last_deliver_time": state.last_deliver_time.ToJsonString() if state.deliver_count else None,
    }
