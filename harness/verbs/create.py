"""`create: ROOM`: make a room in the middle of the script."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.actions import Create
from harness.model.cast import Entry, HistoryVisibility
from harness.model.steps import Step
from harness.verbs.keys import RefusableKeys, key
from harness.verbs.kinds import NAME, NAMES, NEW_ROOM, NS_PER_S, Item, one_of
from harness.verbs.phrases import names
from harness.verbs.presence import check_online
from harness.verbs.problem import Place, Problem, escape
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage, settle
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class CreateKeys(RefusableKeys):
    """The keys of `create`."""

    create: str = key(NEW_ROOM, "The name of the new room.")
    by: str = key(NAME, "Who makes it, and so is a member and an admin of it.")
    members: Sequence[Item] = key(NAMES, "Users who are in it from the start, online or not.", default=())
    admins: Sequence[Item] = key(NAMES, "Users who may add and remove others; members too.", default=())
    history: HistoryVisibility = key(
        one_of("since_join", "whole_room"), "What somebody who joins later may see.", default="since_join"
    )
    entry: Entry = key(one_of("invite", "open"), "Whether anybody may join.", default="invite")


def _compile(keys: CreateKeys, scope: Scope, pointer: str) -> Create | None:
    by = scope.actor(keys.by, f"{pointer}/by")
    members = [name for name, _ in scope.users(keys.members, f"{pointer}/members")]
    admins = [name for name, _ in scope.users(keys.admins, f"{pointer}/admins")]
    if by is not None:
        check_online(scope, by, f"{pointer}/by", "create a room", refused="refused" in keys.given)
    if "refused" not in keys.given and keys.create in scope.rooms:
        _twice(keys.create, scope, pointer)
        return None
    if by is None or keys.broken:
        return None
    maker = scope.clients[by].user
    action = Create(
        by=by,
        room=keys.create,
        members=tuple(dict.fromkeys((maker, *members, *admins))),
        admins=tuple(dict.fromkeys((maker, *admins))),
        history=keys.history,
        entry=keys.entry,
    )
    if "refused" not in keys.given:
        scope.rooms[action.room] = action.made()
        scope.members.made(action.made(), scope.step)
    return action


def _twice(room: str, scope: Scope, pointer: str) -> None:
    made = scope.room_names.get(room, scope.step)
    first = scope.pointers[made] if made < scope.step else f"/rooms/{escape(room)}"
    scope.report(
        Problem(
            code="duplicate-name",
            pointer=f"{pointer}/create",
            message=f"two rooms are called `{room}`",
            label="choose another, or say `refused: ALREADY_EXISTS`",
            related=(Place(first, "first here", on_key=True),),
        )
    )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Create)
    others = action.members[1:]
    door = "open room" if action.entry == "open" else "room"
    sight = ", whose members see all of it" if action.history == "whole_room" else ""
    company = f" with {names(others)}" if others else ""
    if step.refused is not None:
        return f"{action.by} tries to make the {door} {action.room}{company}, and must get {step.refused}"
    return f"{action.by} makes the {door} {action.room}{company}{sight}"


async def _play(stage: Stage, step: Step) -> None:
    action = step.action
    assert isinstance(action, Create)
    settle(step, [await stage.create(action.by, action.made(), step)])


CREATE = Verb(
    name="create",
    summary="Make a room; who makes it is a member and an admin.",
    keys=CreateKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
