"""Ids that steps give to messages and faults: one namespace, each given once."""

from __future__ import annotations

from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope


def id_is_new(scope: Scope, id_: str, pointer: str) -> bool:
    """Check that no step before gave this id to a message or a fault; report it otherwise."""
    first = scope.bases.get(id_) or (scope.faults[id_].pointer if id_ in scope.faults else None)
    if first is None:
        return True
    scope.report(
        Problem(
            code="duplicate-id",
            pointer=f"{pointer}/id",
            message=f"two steps give the id `{id_}`",
            label="choose another",
            related=(Place(f"{first}/id", "first given here"),),
        )
    )
    return False


def id_by_place(scope: Scope, pointer: str) -> str:
    """Return the id of what its author gave none: `@LINE`."""
    span = scope.place(pointer)
    plain = f"@{span.line}"
    return f"{plain}:{span.column}" if plain in scope.bases or plain in scope.faults else plain
