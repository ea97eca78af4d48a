"""`join: NAMES`: enter a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Join
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, ROOM, Item
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class JoinKeys(RefusableKeys):
    """The keys of `join`."""

    join: Sequence[Item] = key(NAMES, "Who enters: a name, a list, or a range such as `user-1..30`.")
    room: str | None = key(ROOM, "The room; may be left out when the scenario has exactly one.", default=None)


def _compile(keys: JoinKeys, scope: Scope, pointer: str) -> Join | None:
    who = scope.names(keys.join, f"{pointer}/join")
    room = scope.room_of(keys.room, pointer, "room")
    refused = "refused" in keys.given
    for name, where in who:
        check_online(scope, name, where, "join a room", refused=refused)
    if not who or room is None:
        return None
    if not refused and scope.rooms[room].entry == "invite" and scope.members_known:
        for name, where in who:
            if not scope.is_member(name, room):
                scope.never_true(
                    where,
                    f"{room} is entered by invitation only, so {name} will be refused",
                    "`entry: open` for the room, or `refused: PERMISSION_DENIED` here",
                )
    if not refused:
        scope.members.begin((scope.clients[name].user for name, _ in who), room, scope.step)
    return Join(who=tuple(name for name, _ in who), room=room)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Join)
    several = len(action.who) > 1
    if step.refused is not None:
        tries = "try" if several else "tries"
        return f"{names(action.who)} {tries} to join {action.room} and must get {step.refused}"
    return f"{names(action.who)} {'join' if several else 'joins'} {action.room}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Join)
    settle(step, await together(stage.join(name, action.room, step) for name in action.who))


JOIN = Verb(
    name="join",
    summary="Enter an open room; done when all are members.",
    keys=JoinKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
