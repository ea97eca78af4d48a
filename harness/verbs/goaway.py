"""`goaway: NAMES`: the server wants clients to come back on another connection."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.calls import GoAway
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S
from harness.verbs.network import of_whom, strike
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class GoAwayKeys(StepKeys):
    """The keys of `goaway`."""

    goaway: Targets = key(
        TARGETS, "Who is told: clients, a list of them, `{any: 2}`, or `server` for everybody."
    )
    id: str | None = key(FAULT_ID, "A name for the fault.", default=None)


def _compile(keys: GoAwayKeys, scope: Scope, pointer: str) -> GoAway | None:
    struck = strike(keys.goaway, keys.id, scope, pointer, verb="goaway", ends=True, joined=True)
    return None if struck is None else GoAway(targets=struck[0], id=struck[1])


def _sentence(step: Step) -> str:
    assert isinstance(step.action, GoAway)
    return f"the server sends GOAWAY to {of_whom(step.action.targets)}"


GOAWAY = Verb(
    name="goaway",
    summary="Send GOAWAY on connections: new calls need a new one, those under way go on. Needs gRPC.",
    keys=GoAwayKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
