"""`restart: NAMES`: end processes as one ends them in ordinary life, and start them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.faults import Restart
from harness.model.steps import Step
from harness.verbs.ids import id_by_place
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, Item
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import FAULT_ID, TARGETS, begin, check, come_up, go_down, must_run, named
from harness.verbs.targets import told as names
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class RestartKeys(StepKeys):
    """The keys of `restart`."""

    restart: Sequence[Item] = key(
        TARGETS, "Who is told to end, the server by SIGTERM, and started again; the server first."
    )
    id: str | None = key(FAULT_ID, "A name for the fault.", default=None)


def _compile(keys: RestartKeys, scope: Scope, pointer: str) -> Restart | None:
    targets = check(named(keys.restart, scope, f"{pointer}/restart"), scope, must_run(scope))
    id_ = keys.id or id_by_place(scope, pointer)
    if not begin(scope, id_, pointer, targets, ends=True) or not targets:
        return None
    go_down(scope, targets, ends=False)
    come_up(scope, targets)
    return Restart(targets=targets, id=id_)


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Restart)
    return f"{names(step.action.targets)} {'restart' if len(step.action.targets) > 1 else 'restarts'} in good order"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Restart)
    await stage.restart(step.action, step)


RESTART = Verb(
    name="restart",
    summary="End processes in good order and start them again; done when they are ready.",
    keys=RestartKeys,
    within_ns=10 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
