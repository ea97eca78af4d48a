"""`disk_full: server`: let no file of the server take another byte, for good or for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.disk import DiskFull
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
class DiskFullKeys(StepKeys):
    """The keys of `disk_full`."""

    disk_full: Sequence[Item] = key(NAMES, "`server`: the disk it writes to is full.")
    for_: int | None = key(LENGTH, "Heal it after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: DiskFullKeys, scope: Scope, pointer: str) -> DiskFull | None:
    struck = strike(keys.disk_full, keys.id, scope, pointer, verb="disk_full", ends=keys.for_ is not None)
    return None if struck is None else DiskFull(targets=struck[0], id=struck[1], for_ns=keys.for_)


def _sentence(step: Step) -> str:
    assert isinstance(step.action, DiskFull)
    return f"the server's disk is full{lasting(step.action.for_ns)}"


DISK_FULL = Verb(
    name="disk_full",
    summary="Let no file of the server take another byte; reading goes on.",
    keys=DiskFullKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
