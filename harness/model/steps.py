"""The script: steps, each an action with the modifiers that any verb may have, and lanes of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.actions import (
    Ack,
    Add,
    Connect,
    Create,
    Disconnect,
    Expect,
    Join,
    Kick,
    Leave,
    Poll,
    Resend,
    Send,
    Wait,
)
from harness.model.faults import Kill, Pause, Restart, Resume, Start


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Steps that follow one another, beside those of other lanes."""

    name: str
    pointer: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Play lanes at the same time; done when all are."""

    verb: Literal["parallel"] = "parallel"
    lanes: tuple[Lane, ...]


Action = (
    Connect
    | Disconnect
    | Create
    | Join
    | Leave
    | Add
    | Kick
    | Send
    | Resend
    | Poll
    | Ack
    | Expect
    | Wait
    | Parallel
    | Kill
    | Start
    | Restart
    | Pause
    | Resume
)
ACTIONS: Mapping[str, type[Action]] = {
    "connect": Connect,
    "disconnect": Disconnect,
    "create": Create,
    "join": Join,
    "leave": Leave,
    "add": Add,
    "kick": Kick,
    "send": Send,
    "resend": Resend,
    "poll": Poll,
    "ack": Ack,
    "expect": Expect,
    "wait": Wait,
    "kill": Kill,
    "start": Start,
    "restart": Restart,
    "pause": Pause,
    "resume": Resume,
    "parallel": Parallel,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the script: an action and the modifiers that any verb may have."""

    pointer: str
    action: Action
    after_ns: int = 0
    """Pause before the step, scenario time."""
    at_ns: int | None = None
    """Not before this moment on the clock of the enclosing block."""
    within_ns: int
    """Deadline of the step, real time, its default filled in."""
    within_given: bool = False
    """Whether the author wrote `within`: then a `not_by` that has no fence waits that long."""
    refused: str | None = None
    """The gRPC status name with which the step must fail."""


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield these steps, and behind each `parallel` those of its lanes, in file order."""
    for step in steps:
        yield step
        if isinstance(step.action, Parallel):
            for lane in step.action.lanes:
                yield from walk(lane.steps)
