"""`duplicate: request`: one call that reaches the server twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.model.calls import Duplicate
from harness.model.steps import Step
from harness.verbs.calls import CallKeys, said, strike
from harness.verbs.keys import key
from harness.verbs.kinds import NS_PER_S, BadValueError, Kind, one_of
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.verb import Verb

_REQUEST: Kind[Any] = one_of("request")


def _read(value: object) -> Any:
    if value == "response":
        raise BadValueError(
            "an answer cannot come twice: whoever asked takes one", "write `duplicate: request`"
        )
    return _REQUEST.parse(value)


@dataclass(frozen=True, kw_only=True)
class DuplicateKeys(CallKeys):
    """The keys of `duplicate`."""

    duplicate: str = key(Kind(_read, _REQUEST.schema), "What the server gets twice: the `request`.")


def _compile(keys: DuplicateKeys, scope: Scope, pointer: str) -> Duplicate | None:
    caught = strike(keys, scope, pointer)
    return (
        None if caught is None else Duplicate(targets=caught.targets, id=caught.id, of=keys.of, nth=keys.nth)
    )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Duplicate)
    return f"{said(action.nth, action.of, action.targets)} reaches the server twice"


DUPLICATE = Verb(
    name="duplicate",
    summary="Let one request reach the server twice; the caller gets the first answer. Needs gRPC.",
    keys=DuplicateKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
