"""`kick: USERS`: an admin puts others out of a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Kick
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAME, NAMES, NS_PER_S, ROOM, Item
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle, together
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class KickKeys(RefusableKeys):
    """The keys of `kick`."""

    kick: Sequence[Item] = key(NAMES, "Users to put out, online or not: a name, a list, or a range.")
    by: str = key(
        NAME, "Who does it: an admin of the room; the server that ships lets anybody, but for `auth: tokens`."
    )
    room: str | None = key(ROOM, "The room; may be left out when the scenario has exactly one.", default=None)


def _compile(keys: KickKeys, scope: Scope, pointer: str) -> Kick | None:
    users = scope.users(keys.kick, f"{pointer}/kick")
    by = scope.actor(keys.by, f"{pointer}/by")
    room = scope.room_of(keys.room, pointer, "room")
    refused = "refused" in keys.given
    if by is not None:
        check_online(scope, by, f"{pointer}/by", "kick anybody", refused=refused)
    if not users or by is None or room is None:
        return None
    if not refused:
        if scope.members_known:
            for user, where in users:
                if not scope.members.ever(user, room):
                    scope.never_true(
                        where, f"{user} was never in {room}, and cannot be kicked", "`refused: NOT_FOUND`"
                    )
        scope.removed([user for user, _ in users], room, pointer)
    return Kick(users=tuple(user for user, _ in users), room=room, by=by)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Kick)
    if step.refused is not None:
        return f"{action.by} tries to kick {names(action.users)} out of {action.room} and must get {step.refused}"
    return f"{action.by} kicks {names(action.users)} out of {action.room}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Kick)
    settle(step, await together(stage.kick(action.by, user, action.room, step) for user in action.users))


KICK = Verb(
    name="kick",
    summary="An admin puts users out of a room; done when all are out.",
    keys=KickKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
