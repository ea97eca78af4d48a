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
    Gone,
    Join,
    Kick,
    Leave,
    Poll,
    Resend,
    RotateKeys,
    Send,
    Wait,
)
from harness.model.calls import CallFault, Delay, Duplicate, GoAway, Lose
from harness.model.disk import DiskFault, DiskFull, ReadOnly
from harness.model.faults import Heal, Kill, Pause, Restart, Resume, Start
from harness.model.network import Cut, HalfOpen, NetworkFault, Refuse, Reset, Slow


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
    | Gone
    | Wait
    | RotateKeys
    | Parallel
    | Kill
    | Start
    | Restart
    | Pause
    | Resume
    | Cut
    | Slow
    | Refuse
    | HalfOpen
    | Reset
    | DiskFull
    | ReadOnly
    | Lose
    | Delay
    | Duplicate
    | GoAway
    | Heal
)
#: Faults on what is no process.
Affliction = NetworkFault | DiskFault | CallFault
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
    "gone": Gone,
    "wait": Wait,
    "rotate_keys": RotateKeys,
    "kill": Kill,
    "start": Start,
    "restart": Restart,
    "pause": Pause,
    "resume": Resume,
    "cut": Cut,
    "slow": Slow,
    "refuse": Refuse,
    "half_open": HalfOpen,
    "reset": Reset,
    "disk_full": DiskFull,
    "read_only": ReadOnly,
    "lose": Lose,
    "delay": Delay,
    "duplicate": Duplicate,
    "goaway": GoAway,
    "heal": Heal,
    "parallel": Parallel,
}


Sight = Literal["sent", "answered", "received"]


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What must have been seen before a step begins."""

    sight: Sight
    """`answered`: by the server, well or not; `received`: handed to an application."""
    written: str
    """A message or a series, as the author wrote it; see `meant`."""
    by: tuple[str, ...] = ()
    """By each of whom it must be received; empty: by anybody."""
    count: int | None = None
    """How many messages of the series; None: all."""
    within_ns: int
    """How long to wait, real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the script: an action and the modifiers that any verb may have."""

    pointer: str
    action: Action
    after_ns: int = 0
    """Pause before the step, scenario time."""
    at_ns: int | None = None
    """Not before this moment on the clock of the enclosing block."""
    when: When | None = None
    """Not before this was seen; `after` counts from then."""
    within_ns: int
    """Deadline of the step, real time, its default filled in."""
    within_given: bool = False
    """Whether the author wrote `within`: then a `not_by` that has no fence waits that long."""
    refused: str | None = None
    """The gRPC status name with which the step must fail."""


def meant(written: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Return those of these message ids that `hello`, `line`, `line.*` or `line.alice.*` means."""
    base = written.removesuffix(".*")
    return tuple(id_ for id_ in ids if id_ == written or id_.startswith(f"{base}."))


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield these steps, and behind each `parallel` those of its lanes, in file order."""
    for step in steps:
        yield step
        if isinstance(step.action, Parallel):
            for lane in step.action.lanes:
                yield from walk(lane.steps)
