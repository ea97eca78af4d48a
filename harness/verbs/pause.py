"""`pause: NAMES`: freeze processes, for good or for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import Pause
from harness.model.steps import Step
from harness.verbs.ids import id_by_place
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, Item
from harness.verbs.phrases import duration
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, begin, check, must_run, named, wrong_state
from harness.verbs.targets import told as names
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class PauseKeys(StepKeys):
    """The keys of `pause`."""

    pause: Sequence[Item] = key(
        TARGETS, "Whose process stands still, connections open: `server`, clients, or a list of them."
    )
    for_: int | None = key(LENGTH, "Resume them after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait`.", default=None)


def _compile(keys: PauseKeys, scope: Scope, pointer: str) -> Pause | None:
    runs = must_run(scope)

    def fault(name: str, where: str) -> Problem | None:
        if name in scope.frozen:
            return wrong_state(name, "stands still already", where, scope, scope.frozen[name])
        return runs(name, where)

    targets = check(named(keys.pause, scope, f"{pointer}/pause"), scope, fault)
    id_ = keys.id or id_by_place(scope, pointer)
    if not begin(scope, id_, pointer, targets, ends=keys.for_ is not None) or not targets:
        return None
    if keys.for_ is None:
        scope.frozen.update(dict.fromkeys(targets, scope.step))
    else:
        scope.unsure.update(targets)
    return Pause(targets=targets, id=id_, for_ns=keys.for_)


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Pause)
    several = len(action.targets) > 1
    long = "" if action.for_ns is None else f" for {duration(action.for_ns)}"
    return f"{names(action.targets)} {'stand' if several else 'stands'} still{long}"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Pause)
    await stage.freeze(step.action, step)


PAUSE = Verb(
    name="pause",
    summary="Freeze processes (SIGSTOP); done when they stand still. Their connections stay open.",
    keys=PauseKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
