"""What the run offers to a verb while it is played, and how a verb says that its step went wrong.

A verb's `play` is a few lines over a `Stage`: it decides what to ask of whom, and in which order. The stage
writes the history, talks to drivers and keeps the scenario clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from harness.model.actions import KeyChange
from harness.model.cast import Room
from harness.model.faults import Heal, Kill, Pause, Restart, Resume, Start
from harness.model.steps import Affliction, Parallel, Step

T = TypeVar("T")


class Answer(NamedTuple):
    """How one operation ended."""

    process: str
    type: Literal["ok", "fail", "info"]
    code: str = ""
    """gRPC status name when it did not end ok."""
    reason: str = ""
    message: str = ""
    excused: bool = False
    """It is unknown how it ended, and a fault touched its client or the server: no failure of the step."""


class StepFailedError(Exception):
    """The step did not end as written, so the script stops here; the text says why."""


class Stage(Protocol):
    """The run as a verb sees it. Every method records its operations under `step`."""

    async def connect(self, client: str, step: Step) -> Answer:
        """Bring one client online, starting its process if need be; done when it is ready to receive."""
        ...

    async def disconnect(self, client: str, step: Step) -> Answer:
        """Take one client offline."""
        ...

    async def send(self, client: str, room: str, message: str, text: str, step: Step) -> Answer:
        """Send one message and wait for its answer, at most `step.within_ns`."""
        ...

    async def resend(self, message: str, step: Step) -> Answer:
        """Send a message again: by its sender, under the same client message id, with the same text."""
        ...

    async def create(self, client: str, room: Room, step: Step) -> Answer:
        """Make a room, by this client."""
        ...

    async def join(self, client: str, room: str, step: Step) -> Answer:
        """Enter a room."""
        ...

    async def leave(self, client: str, room: str, step: Step) -> Answer:
        """Leave a room."""
        ...

    async def add(self, client: str, user: str, room: str, step: Step) -> Answer:
        """Take another user into a room."""
        ...

    async def kick(self, client: str, user: str, room: str, step: Step) -> Answer:
        """Put another user out of a room."""
        ...

    async def poll(self, client: str, step: Step) -> Answer:
        """Read until caught up with all that was answered so far, without waiting for anything new."""
        ...

    async def ack(self, client: str, through: str | None, step: Step) -> Answer:
        """Acknowledge through one message, or all that the client has received so far.

        Raises:
            StepFailedError: there is nothing to acknowledge.
        """
        ...

    async def expect(
        self, ids: tuple[str, ...], received_by: tuple[str, ...], not_by: tuple[str, ...], step: Step
    ) -> bool:
        """Wait until all of `received_by` have all of `ids` and the silence of `not_by` is shown.

        Returns whether it was fulfilled within the step's deadline. Either way the script goes on.
        """
        ...

    async def until_gone(self, ids: tuple[str, ...], step: Step) -> None:
        """Wait until the server keeps none of these messages.

        Raises:
            StepFailedError: it still does at the step's deadline.
        """
        ...

    async def rotate_keys(self, change: KeyChange, step: Step) -> Answer:
        """Change the keys by which the server knows tokens; done when it believes the new ones."""
        ...

    async def parallel(self, action: Parallel, step: Step) -> None:
        """Play all lanes at once; done when all are. What stops one of them stops the others and the script."""
        ...

    async def kill(self, action: Kill, step: Step) -> None:
        """End processes; done when they have ended. Like the four below, raises StepFailedError."""
        ...

    async def start(self, action: Start, step: Step) -> None:
        """Start processes that were killed; done when they are ready."""
        ...

    async def restart(self, action: Restart, step: Step) -> None:
        """End processes in good order and start them again; done when they are ready."""
        ...

    async def freeze(self, action: Pause, step: Step) -> None:
        """Make processes stand still; done when they do."""
        ...

    async def thaw(self, action: Resume, step: Step) -> None:
        """Let processes go on; done when they do."""
        ...

    async def strike(self, action: Affliction, step: Step) -> None:
        """Begin a fault on what is no process; done when it has taken effect. May raise StepFailedError."""
        ...

    async def heal(self, action: Heal, step: Step) -> None:
        """End such faults; done when nothing is left of them. May raise StepFailedError."""
        ...

    async def until_healed(self, fault: str, step: Step) -> None:
        """Wait until the fault of this id is over, and its end is confirmed."""
        ...

    async def pause(self, duration_ns: int, step: Step) -> None:
        """Let scenario time pass."""
        ...

    async def pause_until_next(self, previous_start_ns: int, every_ns: int) -> int:
        """Pace a closed loop: wait until `every_ns` after the previous start; return the start now, scenario ns."""
        ...

    def now(self) -> int:
        """Return the scenario clock, ns."""
        ...


async def play_strike(stage: Stage, step: Step) -> None:
    """Play a step that begins a fault on what is no process."""
    assert isinstance(step.action, Affliction)
    await stage.strike(step.action, step)


def settle(step: Step, answers: Iterable[Answer], *, may_fail: bool = False) -> None:
    """Compare how operations ended with what the step says.

    Raises:
        StepFailedError: one did not end ok though it should, or ended ok though `refused` stands there.
    """
    for answer in answers:
        if step.refused is not None:
            if answer.type == "ok":
                raise StepFailedError(f"{answer.process}: expected {step.refused}, but it was not refused")
            if answer.code != step.refused:
                raise StepFailedError(f"{answer.process}: expected {step.refused}, got {answer.code}")
        elif answer.type != "ok" and not may_fail and not answer.excused:
            detail = ": ".join(part for part in (answer.code, answer.message) if part)
            raise StepFailedError(f"{answer.process}: {detail or 'no answer'}")


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run calls at once and return their results in order; when one raises, none goes on behind our back."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:  # also when the step is cancelled
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        raise
