"""`when:` beside any verb: the step begins when something has been seen, not at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.model.steps import Sight, Step, When
from harness.verbs.keys import Keys, key, read_keys
from harness.verbs.kinds import COUNT, DEADLINE, NAMES, NS_PER_S, TEXT, Item, describe
from harness.verbs.phrases import count, names
from harness.verbs.problem import Place, Problem
from harness.verbs.scope import Scope

SIGHTS: Final[tuple[Sight, ...]] = ("sent", "answered", "received")
WITHIN_NS: Final = 10 * NS_PER_S


@dataclass(frozen=True, kw_only=True)
class WhenKeys(Keys):
    """The keys of `when`."""

    sent: str = key(TEXT, "A message, or a series of them, that has been sent, answered or not.", default="")
    answered: str = key(
        TEXT, "A message, or a series, to which the server has answered, well or not.", default=""
    )
    received: str = key(TEXT, "A message, or a series, that has been received.", default="")
    by: Sequence[Item] = key(
        NAMES, "By each of whom it has been received; by anybody, unless given.", default=()
    )
    count: int | None = key(COUNT, "How many messages of the series; all, unless given.", default=None)
    within: int = key(DEADLINE, "How long to wait for it, in real time; 10s unless given.", default=WITHIN_NS)


def read_when(value: object, scope: Scope, pointer: str) -> When | None:
    """Read the map under `when`; None when something was reported. Which messages it means is for `check_when`."""
    if not isinstance(value, dict):
        scope.report(
            Problem(
                code="wrong-type",
                pointer=pointer,
                message=f"a map is wanted here, not {describe(value)}",
                label="write `when: {answered: ID}`",
            )
        )
        return None
    keys = read_keys(WhenKeys, value, pointer, scope.report, what="`when`")
    by = scope.names(keys.by, f"{pointer}/by")
    said = [sight for sight in SIGHTS if sight in value]
    if len(said) != 1:
        scope.report(
            Problem(
                code="missing-key" if not said else "contradiction",
                pointer=pointer if not said else f"{pointer}/{said[1]}",
                message="`when` waits for one thing",
                label=f"write one of `{'`, `'.join(SIGHTS)}`, with the id of a message"
                if not said
                else "remove one",
                on_key=True,
            )
        )
        return None
    if keys.by and said[0] != "received":
        scope.report(
            Problem(
                code="contradiction",
                pointer=f"{pointer}/by",
                message=f"`by` says who has received it, and this waits for `{said[0]}`",
                label="remove it",
                on_key=True,
            )
        )
    if keys.broken:
        return None
    return When(
        sight=said[0],
        written=getattr(keys, said[0]),
        by=tuple(name for name, _ in by),
        count=keys.count,
        within_ns=keys.within,
    )


def told(step: Step) -> str:
    """Return what a step waits for, as the begin of a sentence: `once 10 of line are answered`."""
    assert step.when is not None
    when = step.when
    what = when.written if when.count is None else f"{when.count} of {when.written.removesuffix('.*')}"
    by = f" by {names(when.by)}" if when.by else ""
    return f"once {what} {'is' if when.count is None else 'are'} {when.sight}{by}"


def too_many(when: When, there: int, pointer: str, sent: Place) -> Problem:
    """Return the problem of waiting for more messages than are ever sent."""
    return Problem(
        code="never-ends",
        pointer=f"{pointer}/count",
        message=f"`{when.written}` is {count(there, 'message')}, and {when.count} are waited for",
        label=f"{there} at most",
        related=(sent,),
    )
