"""The scopes of lanes: each knows what came before its `parallel`, and nothing of what the others do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.verbs.scope import Scope


def branch(scope: Scope, moved: Iterable[str]) -> Scope:
    """Return the scope of one lane; those that other lanes move may be up or down in it. Ids are common to all."""
    others = frozenset(moved)
    return replace(
        scope,
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
    )


def join(scope: Scope, branches: Iterable[Scope]) -> None:
    """Take in what the lanes of a `parallel` did, now that all are done."""
    known = [set(states) for states in scope.states]
    for lane in branches:
        scope.presence_known &= lane.presence_known
        scope.rooms_known &= lane.rooms_known
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
