"""Whether the script asks of somebody what no server may give: a message of a room in which he was no member.

Said only of what is certain: every membership had ended, surely, before the message was first sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.judge.findings import people
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.actions import Kick, Leave

_ENDED = {"kick": "kicked", "leave": "gone"}


def watch(state: State) -> None:
    """Ask the state to keep the steps that end memberships, so that they can be named."""
    for step in state.plan.walk():
        if isinstance(step.action, Kick | Leave):
            state.keep(step.pointer)


def absence(state: State, clients: Iterable[str], message: Message) -> str:
    """Return why these clients could not get a message, as a hint; empty when one of them may have been a member."""
    clients = tuple(clients)
    told = [_absence(state, client, message) for client in clients]
    if not told or not all(told) or message.first_invoke == NEVER:
        return ""
    if len(set(told)) == 1:
        be = "was" if len(clients) == 1 else "were"
        return f"{people(clients)} {be} {told[0]} before it was sent: the script is probably wrong."
    each = [f"{client} was {why}" for client, why in zip(clients, told, strict=True)]
    return f"{people(each)} before it was sent: the script is probably wrong."


def _absence(state: State, client: str, message: Message) -> str:
    user = next((known.user for known in state.plan.clients if known.name == client), client)
    stays = state.members.stays(user, message.room)
    if not stays or any(stay.possible_until >= message.first_invoke for stay in stays):
        return ""
    ended = max(stay.possible_until for stay in stays)
    for pointer, ops in state.kept.items():
        for op in ops:
            if op.index == ended and op.f in _ENDED:
                line = state.plan.line(pointer)
                return _ENDED[op.f] + (f" (line {line})" if line else "")
    return ""
