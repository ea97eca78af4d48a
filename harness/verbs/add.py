"""`add: USERS`: an admin takes others into a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Add
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAME, NAMES, NS_PER_S, ROOM, Item
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class AddKeys(RefusableKeys):
    """The keys of `add`."""

    add: Sequence[Item] = key(NAMES, "Users to take in, online or not: a name, a list, or a range.")
    by: str = key(
        NAME, "Who does it: an admin of the room; the server that ships lets anybody, but for `auth: tokens`."
    )
    room: str | None = key(ROOM, "The room; may be left out when the scenario has exactly one.", default=None)


def _compile(keys: AddKeys, scope: Scope, pointer: str) -> Add | None:
    users = scope.users(keys.add, f"{pointer}/add")
    by = scope.actor(keys.by, f"{pointer}/by")
    room = scope.room_of(keys.room, pointer, "room")
    refused = "refused" in keys.given
    if by is not None:
        check_online(scope, by, f"{pointer}/by", "add anybody", refused=refused)
    if not users or by is None or room is None:
        return None
    if not refused:
        scope.members.begin((user for user, _ in users), room, scope.step)
    return Add(users=tuple(user for user, _ in users), room=room, by=by)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Add)
    if step.refused is not None:
        return f"{action.by} tries to add {names(action.users)} to {action.room} and must get {step.refused}"
    return f"{action.by} adds {names(action.users)} to {action.room}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Add)
    settle(step, await together(stage.add(action.by, user, action.room, step) for user in action.users))


ADD = Verb(
    name="add",
    summary="An admin takes users into a room; done when all are members.",
    keys=AddKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
