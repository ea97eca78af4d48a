"""`wait: DURATION` or `wait: FAULT-ID`: let scenario time pass, or wait until a fault is over."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.actions import Wait
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import DURATION, NS_PER_S, BadValueError, Kind, read_duration
from harness.verbs.phrases import duration, listing
from harness.verbs.problem import Place, Problem, did_you_mean
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.targets import come_up
from harness.verbs.verb import Verb


def _read(value: object) -> int | str:
    try:
        return read_duration(value)
    except BadValueError:
        if isinstance(value, str) and (value[:1].isalpha() or value[:1] == "_"):
            return value  # whether a fault has this id is known only where the step stands
        raise


_DURATION_OR_FAULT: Kind[int | str] = Kind(
    _read,
    {"type": "string", "pattern": f"{DURATION.schema['pattern']}|^[A-Za-z_][A-Za-z0-9_-]{{0,63}}$"},
    0,
)


@dataclass(frozen=True, kw_only=True)
class WaitKeys(StepKeys):
    """The keys of `wait`."""

    wait: int | str = key(
        _DURATION_OR_FAULT,
        "How long: `2s`, or the id of a fault that ends by itself. Pauses before a step are better written as its"
        " `after`.",
    )


def _compile(keys: WaitKeys, scope: Scope, pointer: str) -> Wait | None:
    if isinstance(keys.wait, int):
        return Wait(duration_ns=keys.wait)
    fault = scope.faults.get(keys.wait)
    where = f"{pointer}/wait"
    if fault is None:
        scope.report(_unknown(keys.wait, scope, where))
        return None
    if not fault.ends:
        scope.report(
            Problem(
                code="never-ends",
                pointer=where,
                message=f"the fault `{keys.wait}` does not end by itself",
                label="give it a `for`, or end it by a step of its own",
                related=(Place(fault.pointer, "this fault", on_key=True),),
            )
        )
        return None
    come_up(scope, tuple(name for name in fault.targets if name in scope.unsure - scope.moved))
    return Wait(duration_ns=0, fault=keys.wait)


def _unknown(written: str, scope: Scope, where: str) -> Problem:
    if written in scope.bases:
        return Problem(
            code="unknown-fault",
            pointer=where,
            message=f"`{written}` is a message, not a fault",
            label=f"write `expect: {written}`",
            related=(Place(scope.bases[written], "sent here", on_key=True),),
        )
    try:
        read_duration(written)
    except BadValueError as fault:
        hints = fault.hints
    known = [id_ for id_ in scope.faults if not id_.startswith("@")]
    return Problem(
        code="unknown-fault",
        pointer=where,
        message=f"`{written[:70]}` is neither a duration nor the id of a fault before this step",
        label=did_you_mean(written, known),
        help=(
            f"faults so far: {listing(known)}" if known else "no fault before this step has an `id`",
            *hints,
        ),
    )


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Wait)
    if step.action.fault is not None:
        return f"the fault {step.action.fault} comes to its end"
    return f"{duration(step.action.duration_ns)} pass"


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Wait)
    if step.action.fault is not None:
        await stage.until_healed(step.action.fault, step)
        return
    await stage.pause(step.action.duration_ns, step)


WAIT = Verb(
    name="wait",
    summary="Let scenario time pass, or wait until a fault has ended.",
    keys=WaitKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
