"""Whether the script asks of somebody what no server may give: a message of a room in which he was no member.

Said only of what is certain: every membership had ended, surely, before the message was first sent, or began when it
was there already, in a room that shows nothing from before.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.judge.findings import people
from harness.judge.messages import NEVER, Message
from harness.judge.state import State
from harness.model.actions import Add, Join, Kick, Leave

_ENDED = {"kick": "kicked", "leave": "gone"}
_BEGUN = ("add", "join")


def watch(state: State) -> None:
    """Ask the state to keep the steps that begin and end memberships, so that they can be named."""
    for step in state.plan.walk():
        if isinstance(step.action, Add | Join | Kick | Leave):
            state.keep(step.pointer)


def absence(state: State, clients: Iterable[str], message: Message) -> str:
    """Return why these clients could not get a message, as a hint; empty when one of them may have been a member."""
    clients = tuple(clients)
    told = [_absence(state, client, message) for client in clients]
    if not told or not all(told) or message.first_invoke == NEVER:
        return ""
    if len(set(told)) == 1:
        be = "was" if len(clients) == 1 else "were"
        return f"{people(clients)} {be} {told[0]}: the script is probably wrong."
    each = [f"{client} was {why}" for client, why in zip(clients, told, strict=True)]
    return f"{people(each)}: the script is probably wrong."


def _absence(state: State, client: str, message: Message) -> str:
    user = next((known.user for known in state.plan.clients if known.name == client), client)
    stays = state.members.stays(user, message.room)
    before = [stay for stay in stays if not stay.hides(message, None)]
    if not stays or any(stay.possible_until >= message.first_invoke for stay in before):
        return ""
    back = next((stay for stay in stays if stay not in before), None)
    begun = _place(state, back.possible_from, _BEGUN) if back is not None else None
    if not before:
        return f"no member yet when it was sent, and came in after it{begun}" if begun is not None else ""
    ended = max(stay.possible_until for stay in before)
    for f, word in _ENDED.items():
        if (place := _place(state, ended, (f,))) is not None:
            again = f", and back only after it{begun}" if begun is not None else ""
            return f"{word}{place} before it was sent{again}"
    return ""


def _place(state: State, index: int, fs: Iterable[str]) -> str | None:
    """Return the line, in brackets, of the step whose op this is and one of these; None when it is of no step."""
    for pointer, ops in state.kept.items():
        if any(op.index == index and op.f in fs for op in ops):
            line = state.plan.line(pointer)
            return f" (line {line})" if line else ""
    return None
