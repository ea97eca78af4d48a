"""`parallel: LANES`: steps that go on at the same time, each lane in its own order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.model.steps import Lane, Parallel, Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import NS_PER_S, BadValueError, Kind, describe, read_name, wrong_type
from harness.verbs.lanes import branch, join
from harness.verbs.phrases import names
from harness.verbs.problem import escape
from harness.verbs.scope import Scope
from harness.verbs.stage import Stage
from harness.verbs.verb import Verb

#: Verbs that move people between up and down, online and offline.
_MOVES = ("connect", "disconnect", "kill", "start", "restart", "pause", "resume")
#: Verbs that change who is in which room.
_UNSETTLES = frozenset({"create", "join", "leave", "add", "kick"})


def _read(value: object) -> Mapping[str, list[object]]:
    if not isinstance(value, dict):
        raise wrong_type("a map of lanes and their steps", value, "write `{talk: [ … ], crash: [ … ]}`")
    if not value:
        raise BadValueError("there are no lanes", "name some, each with its steps", code="says-nothing")
    for name, steps in value.items():
        at = f"/{escape(name)}"
        read_name(name, "a lane", at)
        if not isinstance(steps, list):
            raise BadValueError(
                f"a list of steps is wanted here, not {describe(steps)}",
                "each step begins with `- ` and a verb",
                code="wrong-type",
                at=at,
            )
        if not steps:
            raise BadValueError(
                f"the lane `{name}` has no steps", "write one, or remove it", code="says-nothing", at=at
            )
    return value


_LANES: Kind[Mapping[str, list[object]]] = Kind(
    _read,
    {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"$ref": "#/definitions/step"}, "minItems": 1},
        "minProperties": 1,
    },
    {},
)


@dataclass(frozen=True, kw_only=True)
class ParallelKeys(StepKeys):
    """The keys of `parallel`."""

    parallel: Mapping[str, list[object]] = key(
        _LANES, "Lanes by name, each a list of steps; `at` in them counts from the begin of this step."
    )


def _compile(keys: ParallelKeys, scope: Scope, pointer: str) -> Parallel | None:
    if not keys.parallel or scope.read_lane is None:
        return None
    moved = {name: set(_moved(steps, scope)) for name, steps in keys.parallel.items()}
    unsettling = {name for name, steps in keys.parallel.items() if _unsettles(steps)}
    lanes, branches = [], []
    for name, steps in keys.parallel.items():
        where = f"{pointer}/parallel/{escape(name)}"
        others = (who for other, people in moved.items() if other != name for who in people)
        inside = branch(scope, others, unsettled=bool(unsettling - {name}))
        lanes.append(Lane(name=name, pointer=where, steps=scope.read_lane(steps, inside, where)))
        branches.append(inside)
    join(scope, branches)
    return Parallel(lanes=tuple(lanes))


def _moved(data: object, scope: Scope) -> Iterator[str]:
    """Yield whom the steps of a lane move, as far as that can be read."""
    if isinstance(data, list):
        for item in data:
            yield from _moved(item, scope)
    elif isinstance(data, dict):
        for key_, value in data.items():
            if key_ in _MOVES:
                for text in value if isinstance(value, list) else [value]:
                    if isinstance(text, str):
                        yield from scope.spread(text)
            else:
                yield from _moved(value, scope)


def _unsettles(data: object) -> bool:
    """Whether steps of a lane, or of lanes in it, change who is in which room."""
    if isinstance(data, list):
        return any(map(_unsettles, data))
    return isinstance(data, dict) and (not _UNSETTLES.isdisjoint(data) or any(map(_unsettles, data.values())))


def _sentence(step: Step) -> str:
    assert isinstance(step.action, Parallel)
    lanes = step.action.lanes
    return f"at the same time: {names(lane.name for lane in lanes)}" if len(lanes) > 1 else lanes[0].name


async def _play(stage: Stage, step: Step) -> None:
    assert isinstance(step.action, Parallel)
    await stage.parallel(step.action, step)


PARALLEL = Verb(
    name="parallel",
    summary="Play lanes of steps at the same time; done when all are done.",
    keys=ParallelKeys,
    within_ns=24 * 3600 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=_play,
)
