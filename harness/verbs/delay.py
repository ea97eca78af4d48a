"""`delay: request`: one call that takes longer, on its way there or back."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.calls import Delay, Part
from harness.model.steps import Step
from harness.verbs.calls import CallKeys, said, strike
from harness.verbs.keys import key
from harness.verbs.kinds import NS_PER_S, one_of
from harness.verbs.phrases import duration
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import LENGTH
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class DelayKeys(CallKeys):
    """The keys of `delay`."""

    delay: Part = key(one_of("request", "response"), "What takes longer: the `request`, or the `response`.")
    for_: int = key(LENGTH, "How much longer.")


def _compile(keys: DelayKeys, scope: Scope, pointer: str) -> Delay | None:
    caught = strike(keys, scope, pointer)
    if caught is None:
        return None
    return Delay(
        part=keys.delay, targets=caught.targets, id=caught.id, delay_ns=keys.for_, of=keys.of, nth=keys.nth
    )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Delay)
    what = "the answer to " if action.part == "response" else ""
    return f"{what}{said(action.nth, action.of, action.targets)} takes {duration(action.delay_ns)} longer"


DELAY = Verb(
    name="delay",
    summary="Delay one request or its answer. Needs gRPC.",
    keys=DelayKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
