"""`cut: NAMES`: hold all bytes between clients and the server, for good or for a while."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.network import Cut, Direction
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S
from harness.verbs.network import DIRECTION, lasting, of_whom, strike
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class CutKeys(StepKeys):
    """The keys of `cut`."""

    cut: Targets = key(
        TARGETS, "Who is cut off: clients, a list of them, `{any: 2}`, or `server` for everybody."
    )
    direction: Direction = key(
        DIRECTION, "`to_server` holds only what they say, `from_server` only what they hear.", default="both"
    )
    for_: int | None = key(LENGTH, "Heal it after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: CutKeys, scope: Scope, pointer: str) -> Cut | None:
    struck = strike(keys.cut, keys.id, scope, pointer, verb="cut", ends=keys.for_ is not None)
    if struck is None:
        return None
    return Cut(targets=struck[0], id=struck[1], direction=keys.direction, for_ns=keys.for_)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Cut)
    who, long = of_whom(action.targets), lasting(action.for_ns)
    if action.direction == "to_server":
        return f"nothing that {who} {'say' if len(action.targets) > 1 else 'says'} gets through{long}"
    if action.direction == "from_server":
        return f"nothing from the server gets through to {who}{long}"
    return f"{who} {'are' if len(action.targets) > 1 else 'is'} cut off{long}"


CUT = Verb(
    name="cut",
    summary=(
        "Hold all bytes, of connections that exist and of new ones; nothing is reset, and all of it comes when it is"
        " healed."
    ),
    keys=CutKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
