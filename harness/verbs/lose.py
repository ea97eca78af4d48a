"""`lose: request`: one call that is never answered, whether it reached the server or not."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.calls import Lose, Part
from harness.model.steps import Step
from harness.verbs.calls import CallKeys, said, strike
from harness.verbs.keys import key
from harness.verbs.kinds import NS_PER_S, one_of
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class LoseKeys(CallKeys):
    """The keys of `lose`."""

    lose: Part = key(
        one_of("request", "response"),
        "What gets lost: the `request`, so that nothing happens; or the `response`, so that it happens untold.",
    )


def _compile(keys: LoseKeys, scope: Scope, pointer: str) -> Lose | None:
    caught = strike(keys, scope, pointer)
    if caught is None:
        return None
    return Lose(part=keys.lose, targets=caught.targets, id=caught.id, of=keys.of, nth=keys.nth)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Lose)
    what = "the answer to " if action.part == "response" else ""
    return f"{what}{said(action.nth, action.of, action.targets)} gets lost"


LOSE = Verb(
    name="lose",
    summary="Lose one request or its answer, by meaning and not by bytes: the caller hears nothing. Needs gRPC.",
    keys=LoseKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
