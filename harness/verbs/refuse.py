"""`refuse: NAMES`: turn new connections away, for good or for a while."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.network import Refuse
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S
from harness.verbs.network import lasting, of_whom, strike
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class RefuseKeys(StepKeys):
    """The keys of `refuse`."""

    refuse: Targets = key(
        TARGETS,
        "Whose new connections are turned away: clients, a list, `{any: 2}`, or `server` for everybody.",
    )
    for_: int | None = key(LENGTH, "Heal it after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: RefuseKeys, scope: Scope, pointer: str) -> Refuse | None:
    struck = strike(keys.refuse, keys.id, scope, pointer, verb="refuse", ends=keys.for_ is not None)
    return None if struck is None else Refuse(targets=struck[0], id=struck[1], for_ns=keys.for_)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Refuse)
    return f"new connections of {of_whom(action.targets)} are turned away{lasting(action.for_ns)}"


REFUSE = Verb(
    name="refuse",
    summary="Turn new connections away; those that exist go on.",
    keys=RefuseKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
