"""`start: NAMES`: start processes that were killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import SERVER, Start
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, Item
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import TARGETS, check, come_up, named, wrong_state
from harness.verbs.targets import told as names
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class StartKeys(StepKeys):
    """The keys of `start`."""

    start: Sequence[Item] = key(
        TARGETS, "Who was killed and starts again; the server first, clients come back connected."
    )


def _compile(keys: StartKeys, scope: Scope, pointer: str) -> Start | None:
    def fault(name: str, where: str) -> Problem | None:
        if name in scope.dead:
            return None
        if name == SERVER or name in scope.online or name in scope.left:
            since = scope.online.get(name, scope.left.get(name))
            return wrong_state(name, "runs already", where, scope, since, f"`kill: {name}` must come before")
        return wrong_state(name, "was never killed", where, scope, None, f"did you mean `connect: {name}`?")

    targets = check(named(keys.start, scope, f"{pointer}/start"), scope, fault)
    come_up(scope, targets)
    return Start(targets=targets) if targets else None


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Start)
    return f"{names(step.action.targets)} {'start' if len(step.action.targets) > 1 else 'starts'} again"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Start)
    await stage.start(step.action, step)


START = Verb(
    name="start",
    summary="Start processes that were killed; done when the server is ready and clients are connected.",
    keys=StartKeys,
    within_ns=10 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
