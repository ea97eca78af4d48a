"""Playing steps: one after another in a block, and blocks beside one another in the lanes of a `parallel`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from harness.model.steps import Lane, Step
from harness.run.clock import Clock
from harness.verbs import VERBS
from harness.verbs.stage import Stage, StepFailedError


class StoppedError(Exception):
    """A step did not end as written, so nothing after it is played."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(reason)
        self.step = step
        self.reason = reason


class Blocks:
    """Plays blocks of steps on one stage.

    Args:
        clock: the scenario clock; `at` counts from the begin of the block.
        on_step: told of each step as it begins.
    """

    def __init__(self, clock: Clock, on_step: Callable[[Step], None]) -> None:
        self._clock = clock
        self._on_step = on_step

    async def play(self, steps: Sequence[Step], stage: Stage) -> None:
        """Play steps in order.

        Raises:
            StoppedError: one failed.
        """
        zero = self._clock.now()
        for step in steps:
            self._on_step(step)
            if step.at_ns is not None:
                await self._clock.pause_until(zero + step.at_ns)
            if step.after_ns:
                await self._clock.pause(step.after_ns)
            try:
                await VERBS[step.action.verb].play(stage, step)
            except StepFailedError as fault:
                raise StoppedError(step, str(fault)) from fault

    async def play_lanes(self, lanes: Sequence[Lane], stage: Stage) -> None:
        """Play lanes at the same time until all are done.

        Raises:
            StoppedError: a step failed; the other lanes were left where they were.
        """
        group = self._clock.fork(len(lanes))
        tasks: list[asyncio.Task[None]] = []
        first: list[StoppedError] = []

        async def run(number: int, lane: Lane) -> None:
            group.begin(number)
            try:
                await self.play(lane.steps, stage)
            except StoppedError as stopped:
                # At once, not when the one who waits gets to run: no lane may begin another step.
                first.append(stopped)
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()

        for number, lane in enumerate(lanes):
            task = asyncio.ensure_future(run(number, lane))
            task.add_done_callback(lambda _: group.end())
            tasks.append(task)
        try:
            await asyncio.wait(tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            raise
        if first:
            raise first[0]
        for task in tasks:
            task.result()
