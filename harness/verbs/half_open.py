"""`half_open: NAMES`: connections whose one end is gone, and whose other end was not told."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.network import HalfOpen
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S
from harness.verbs.network import lasting, of_whom, strike
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class HalfOpenKeys(StepKeys):
    """The keys of `half_open`."""

    half_open: Targets = key(
        TARGETS, "Whose connections: clients, a list of them, `{any: 2}`, or `server` for everybody's."
    )
    for_: int | None = key(
        LENGTH, "After so long, reset the ones that are still held; the script goes on at once.", default=None
    )
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: HalfOpenKeys, scope: Scope, pointer: str) -> HalfOpen | None:
    struck = strike(
        keys.half_open, keys.id, scope, pointer, verb="half_open", ends=keys.for_ is not None, joined=True
    )
    return None if struck is None else HalfOpen(targets=struck[0], id=struck[1], for_ns=keys.for_)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, HalfOpen)
    return (
        f"the server loses its connections to {of_whom(action.targets)}, "
        f"{'who is' if action.targets != ('server',) and len(action.targets) == 1 else 'who are'} not told"
        f"{lasting(action.for_ns)}"
    )


HALF_OPEN = Verb(
    name="half_open",
    summary=(
        "Take the server's end of connections away and leave the clients in the belief that they are there: what they"
        " say is lost in silence. New connections work. Healing resets them."
    ),
    keys=HalfOpenKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
