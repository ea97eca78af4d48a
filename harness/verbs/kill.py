"""`kill: NAMES`: end processes by a signal, for good or for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import Kill
from harness.model.steps import Step
from harness.verbs.ids import id_by_place
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, Item, one_of
from harness.verbs.phrases import duration
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, begin, check, go_down, must_run, named
from harness.verbs.targets import told as names
from harness.verbs.verb import Verb

#: Signals that end a process unless it handles them.
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGABRT", "SIGSEGV")


@dataclass(frozen=True, kw_only=True)
class KillKeys(StepKeys):
    """The keys of `kill`."""

    kill: Sequence[Item] = key(TARGETS, "Whose process ends: `server`, clients, or a list of them.")
    signal: str = key(one_of(*SIGNALS), "By which signal; `SIGKILL` cannot be refused.", default="SIGKILL")
    for_: int | None = key(
        LENGTH, "Start them again after so long; the script goes on at once.", default=None
    )
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait`.", default=None)


def _compile(keys: KillKeys, scope: Scope, pointer: str) -> Kill | None:
    targets = check(named(keys.kill, scope, f"{pointer}/kill"), scope, must_run(scope))
    id_ = keys.id or id_by_place(scope, pointer)
    ends = keys.for_ is not None
    if not begin(scope, id_, pointer, targets, ends=ends) or not targets:
        return None
    go_down(scope, targets, ends=ends)
    return Kill(targets=targets, id=id_, signal=keys.signal, for_ns=keys.for_)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Kill)
    several = len(action.targets) > 1
    sentence = f"{names(action.targets)} {'are' if several else 'is'} killed by {action.signal}"
    if action.for_ns is not None:
        sentence += f", and {'start' if several else 'starts'} again after {duration(action.for_ns)}"
    return sentence


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Kill)
    await stage.kill(step.action, step)


KILL = Verb(
    name="kill",
    summary="End processes by a signal; done when they have ended.",
    keys=KillKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
