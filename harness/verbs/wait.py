"""`wait: DURATION`: let scenario time pass."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.plan import Step, Wait
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import DURATION, NS_PER_S, BadValueError, Kind, read_duration
from harness.verbs.phrases import duration
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.verb import Verb


def _read(value: object) -> int:
    try:
        return read_duration(value)
    except BadValueError as fault:
        if isinstance(value, str) and value[:1].isalpha():
            fault.hints = (*fault.hints, "waiting for the end of a fault, by its id, is not supported yet")
        raise


_DURATION = Kind(_read, DURATION.schema, DURATION.blank)


@dataclass(frozen=True, kw_only=True)
class WaitKeys(StepKeys):
    """The keys of `wait`."""

    wait: int = key(_DURATION, "How long: `2s`. Pauses before a step are better written as its `after`.")


def _compile(keys: WaitKeys, _scope: Scope, _pointer: str) -> Wait:
    return Wait(duration_ns=keys.wait)


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Wait)
    return f"{duration(step.action.duration_ns)} pass"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Wait)
    await stage.pause(step.action.duration_ns, step)


WAIT = Verb(
    name="wait",
    summary="Let scenario time pass.",
    keys=WaitKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
