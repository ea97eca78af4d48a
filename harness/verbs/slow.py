"""`slow: NAMES`: bytes between clients and the server take longer, for good or for a while."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

from dataclasses import dataclass

from harness.model.network import Direction, Slow
from harness.model.steps import Step
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import DURATION, NS_PER_S
from harness.verbs.network import BANDWIDTH, DIRECTION, lasting, of_whom, strike
from harness.verbs.phrases import duration, names
from harness.verbs.problem import Problem
from harness.verbs.scope import Scope
from harness.verbs.stage import play_strike
from harness.verbs.targets import FAULT_ID, LENGTH, TARGETS, Targets
from harness.verbs.verb import Verb


@dataclass(frozen=True, kw_only=True)
class SlowKeys(StepKeys):
    """The keys of `slow`."""

    slow: Targets = key(
        TARGETS, "Whose network is slow: clients, a list of them, `{any: 2}`, or `server` for everybody."
    )
    latency: int = key(DURATION, "How long bytes take more, each way: `200ms`.", default=0)
    jitter: int = key(DURATION, "How much the latency varies, more and less; bytes stay in order.", default=0)
    rate: int | None = key(
        BANDWIDTH, "Bytes a second that pass at most, each way and connection: `50KB/s`.", default=None
    )
    direction: Direction = key(
        DIRECTION, "`to_server` slows only what they say, `from_server` only what they hear.", default="both"
    )
    for_: int | None = key(LENGTH, "Heal it after so long; the script goes on at once.", default=None)
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


def _compile(keys: SlowKeys, scope: Scope, pointer: str) -> Slow | None:
    if not keys.latency and not keys.jitter and keys.rate is None and not keys.broken:
        scope.report(
            Problem(
                code="says-nothing",
                pointer=pointer,
                message="nothing here is slow",
                label="add `latency`, `jitter` or `rate`",
                on_key=True,
            )
        )
        return None
    struck = strike(keys.slow, keys.id, scope, pointer, verb="slow", ends=keys.for_ is not None)
    if struck is None:
        return None
    return Slow(
        targets=struck[0],
        id=struck[1],
        direction=keys.direction,
        latency_ns=keys.latency,
        jitter_ns=keys.jitter,
        rate=keys.rate,
        for_ns=keys.for_,
    )


def _sentence(step: Step) -> str:
    action = step.action
    assert isinstance(action, Slow)
    about = {"both": "bytes of", "to_server": "what is said by", "from_server": "what goes to"}
    how = []
    if action.latency_ns or action.jitter_ns:
        spread = f" ± {duration(action.jitter_ns)}" if action.jitter_ns else ""
        how.append(
            f"{'take' if action.direction == 'both' else 'takes'} {duration(action.latency_ns)}{spread} longer"
        )
    if action.rate is not None:
        how.append(f"{'pass' if action.direction == 'both' else 'passes'} at {action.rate:,} B/s")
    return f"{about[action.direction]} {of_whom(action.targets)} {names(how)}{lasting(action.for_ns)}"


SLOW = Verb(
    name="slow",
    summary="Make the network slow: latency, jitter, bandwidth. Bytes stay in order, and none is lost.",
    keys=SlowKeys,
    within_ns=2 * NS_PER_S,
    compile=_compile,
    sentence=_sentence,
    play=play_strike,
)
