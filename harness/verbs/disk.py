"""What the verbs of disk faults have in common: only the server has a disk."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.faults import SERVER
from harness.verbs.ids import id_by_place
from harness.verbs.kinds import Item
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.targets import begin, named


def strike(
    who: Sequence[Item], id_: str | None, scope: Scope, pointer: str, *, verb: str, ends: bool
) -> tuple[tuple[str, ...], str] | None:
    """Read whose disk a fault strikes, and take note that it begins; None when something was reported."""
    targets = []
    for name, where in named(who, scope, f"{pointer}/{verb}"):
        if name == SERVER:
            targets.append(name)
            continue
        scope.report(
            Problem(
                code="bad-value",
                pointer=where,
                message=f"`{verb}` is a fault on the disk of the server, and {name} is a client",
                label=f"write `{verb}: {SERVER}`",
            )
        )
    given = id_ or id_by_place(scope, pointer)
    if not begin(scope, given, pointer, tuple(targets), ends=ends, heals=True) or not targets:
        return None
    return tuple(targets), given
