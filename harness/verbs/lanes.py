"""The scopes of lanes: each knows what came before its `parallel`, and nothing of what the others do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.verbs.scope import Scope


def branch(scope: Scope, moved: Iterable[str], *, unsettled: bool) -> Scope:
    """Return the scope of one lane; ids are common to all.

    Args:
        scope: that of the `parallel`.
        moved: those that other lanes move, who may be up or down in this one.
        unsettled: whether other lanes change who is in which room.
    """
    others = frozenset(moved)
    lane = replace(
        scope,
        rooms=dict(scope.rooms),
        members_known=scope.members_known and not unsettled,
        unsettled=scope.unsettled or unsettled,
        online=dict(scope.online),
        left=dict(scope.left),
        refused=set(scope.refused),
        unsure=scope.unsure | others,
        moved=others - scope.unsure,
        dead=dict(scope.dead),
        frozen=dict(scope.frozen),
        messages=dict(scope.messages),
        series=dict(scope.series),
        received=dict(scope.received),
        polled=dict(scope.polled),
        perhaps_read=set(scope.perhaps_read),
        raced=dict(scope.raced),
    )
    lane.members = scope.members.branch()
    return lane


def join(scope: Scope, branches: Sequence[Scope]) -> None:
    """Take in what the lanes of a `parallel` did, now that all are done."""
    first = scope.step
    scope.step = max(lane.step for lane in branches)
    scope.members.join([lane.members for lane in branches], range(first, scope.step + 1))
    known = [set(states) for states in scope.states]
    for lane in branches:
        scope.presence_known &= lane.presence_known
        scope.rooms_known &= lane.rooms_known
        scope.members_known &= lane.members_known or lane.unsettled
        scope.rooms.update(lane.rooms)
        scope.perhaps_read |= lane.perhaps_read
        scope.polled.update(lane.polled)
        scope.raced.update(lane.raced)
        scope.refused |= lane.refused
        scope.unsure |= lane.unsure - lane.moved
        for mine, theirs, before in zip(scope.states, lane.states, known, strict=True):
            mine.update({who: step for who, step in theirs.items() if who not in before})
            for who in before - theirs.keys():
                mine.pop(who, None)
        scope.left.update(lane.left)
        scope.messages.update(lane.messages)
        scope.series.update(lane.series)
        scope.received.update(lane.received)
    if len(branches) > 1:
        scope.perhaps_read |= {
            (name, id_)
            for name, step in scope.polled.items()
            for id_, message in scope.messages.items()
            if step > first and (message.step > first or not scope.members_known)
        }
