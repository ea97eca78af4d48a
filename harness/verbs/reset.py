"""`reset: NAMES`: end connections by a reset, once."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.network import Reset
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S
from harness.verbs.network import of_whom, strike
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ResetKeys(StepKeys):
    """The keys of `reset`."""

    reset: Targets = key(
        TARGETS, "Whose connections end: clients, a list of them, `{any: 2}`, or `server` for everybody's."
    )
    id: str | None = key(FAULT_ID, "A name for the fault.", default=None)


def _compile(keys: ResetKeys, scope: Scope, pointer: str) -> Reset | None:
    struck = strike(keys.reset, keys.id, scope, pointer, verb="reset", ends=True, joined=True)
    return None if struck is None else Reset(targets=struck[0], id=struck[1])


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Reset)
    return f"the connections of {of_whom(step.action.targets)} are reset"


RESET = Verb(
    name="reset",
    summary="End connections by a reset, towards both ends; clients may come back at once.",
    keys=ResetKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
