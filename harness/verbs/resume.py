"""`resume: NAMES`: thaw processes that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import Resume
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, Item
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import TARGETS, check, named, wrong_state
from harness.verbs.targets import told as names
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class ResumeKeys(StepKeys):
    """The keys of `resume`."""

    resume: Sequence[Item] = key(TARGETS, "Who stands still and goes on.")


def _compile(keys: ResumeKeys, scope: Scope, pointer: str) -> Resume | None:
    def fault(name: str, where: str) -> Problem | None:
        if name in scope.frozen:
            return None
        return wrong_state(
            name,
            "does not stand still",
            where,
            scope,
            scope.dead.get(name),
            f"`pause: {name}` must come before",
        )

    targets = check(named(keys.resume, scope, f"{pointer}/resume"), scope, fault)
    for name in targets:
        scope.frozen.pop(name, None)
    return Resume(targets=targets) if targets else None


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Resume)
    return f"{names(step.action.targets)} {'go' if len(step.action.targets) > 1 else 'goes'} on"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Resume)
    await stage.thaw(step.action, step)


RESUME = Verb(
    name="resume",
    summary="Thaw processes that stand still (SIGCONT); done when they run again.",
    keys=ResumeKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
