"""`read_only: server`: let nothing in its data directory be opened for writing, or made, for good or for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.disk import ReadOnly
from harness.model.steps import Step
from harness.verbs.disk import strike
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NAMES, NS_PER_S, Item
from harness.verbs.network import lasting
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, LENGTH
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ReadOnlyKeys(StepKeys):
    """The keys of `read_only`."""

    read_only: Sequence[Item] = key(NAMES, "`server`: its data directory is read-only. Not possible as root.")
    for_: int | None = key(LENGTH, "Heal it after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: ReadOnlyKeys, scope: Scope, pointer: str) -> ReadOnly | None:
    struck = strike(keys.read_only, keys.id, scope, pointer, verb="read_only", ends=keys.for_ is not None)
    return None if struck is None else ReadOnly(targets=struck[0], id=struck[1], for_ns=keys.for_)


def _sentence(step: Step) -> str:
    assert isinstance(step.action, ReadOnly)
    return f"the server's data directory is read-only{lasting(step.action.for_ns)}"


READ_ONLY = Verb(
    name="read_only",
    summary="Let nothing in the server's data directory be opened for writing, or made; what is open stays open.",
    keys=ReadOnlyKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
