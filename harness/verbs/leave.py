"""`leave: NAMES`: leave a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Leave
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, ROOM, Item
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class LeaveKeys(RefusableKeys):
    """The keys of `leave`."""

    leave: Sequence[Item] = key(NAMES, "Who leaves: a name, a list, or a range such as `user-1..30`.")
    room: str | None = key(ROOM, "The room; may be left out when the scenario has exactly one.", default=None)


def _compile(keys: LeaveKeys, scope: Scope, pointer: str) -> Leave | None:
    who = scope.names(keys.leave, f"{pointer}/leave")
    room = scope.room_of(keys.room, pointer, "room")
    refused = "refused" in keys.given
    for name, where in who:
        check_online(scope, name, where, "leave a room", refused=refused)
    if not who or room is None:
        return None
    if not refused and scope.members_known:
        for name, where in who:
            if not scope.members.ever(scope.clients[name].user, room):
                scope.never_true(
                    where, f"{name} was never in {room}, and cannot leave it", "`refused: PERMISSION_DENIED`"
                )
    if not refused:
        scope.removed([scope.clients[name].user for name, _ in who], room, pointer)
    return Leave(who=tuple(name for name, _ in who), room=room)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Leave)
    several = len(action.who) > 1
    if step.refused is not None:
        tries = "try" if several else "tries"
        return f"{names(action.who)} {tries} to leave {action.room} and must get {step.refused}"
    return f"{names(action.who)} {'leave' if several else 'leaves'} {action.room}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Leave)
    settle(step, await together(stage.leave(name, action.room, step) for name in action.who))


LEAVE = Verb(
    name="leave",
    summary="Leave a room; done when all are out.",
    keys=LeaveKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
