"""Steps that begin when something has been seen: counting what goes by, and waiting for enough of it.

A lane that waits here waits as one that pauses does: at `max`, time may jump if all lanes wait. It counts as busy
again from the moment in which it has seen enough.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from harness.model.history import SCRIPT, Op
from harness.model.plan import Plan
from harness.model.steps import Step, When, meant
from harness.run.clock import Clock
from harness.run.recorder import Recorder
from harness.verbs.phrases import duration
from harness.verbs.stage import StepFailedError


class _Count:
    """What one `when` has seen."""

    def __init__(self, when: When, ids: tuple[str, ...]) -> None:
        self.when = when
        self.wanted = len(ids) if when.count is None else when.count
        self.last = ""
        """The latest sight, in words."""
        self.woken: asyncio.Future[None] | None = None
        self._ids = frozenset(ids)
        self._seen: dict[str, set[str]] = {name: set() for name in when.by or ("",)}

    @property
    def number(self) -> int:
        """How many messages were seen; of several readers, by the one who has fewest."""
        return min(len(seen) for seen in self._seen.values())

    def see(self, op: Op) -> None:
        """Take note of one operation."""
        id_ = op.value.get("id")
        if id_ not in self._ids:
            return
        reader = op.client if self.when.by else ""
        if reader in self._seen:
            self._seen[reader].add(id_)
            by = f" by {op.client}" if self.when.sight == "received" else f" ({op.type})"
            self.last = f"`{id_}`{by}" if self.when.sight != "sent" else f"`{id_}`"


class Triggers:
    """The `when`s of one plan.

    Args:
        plan: whose steps wait.
        recorder: shows what goes by, and is told of waits.
        clock: on which lanes wait.
        alive: says who is there, for whoever waited in vain.
    """

    def __init__(self, plan: Plan, recorder: Recorder, clock: Clock, alive: Callable[[], str]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._alive = alive
        every = [id_ for _, send in plan.sends() for _, id_, _ in send.messages()]
        self._counts = {
            step.pointer: _Count(step.when, meant(step.when.written, every))
            for step in plan.walk()
            if step.when is not None
        }
        if self._counts:
            recorder.listen(self._watch)

    async def wait(self, step: Step) -> None:
        """Wait until a step's `when` has been seen.

        Raises:
            StepFailedError: not in time.
        """
        count = self._counts[step.pointer]
        when = count.when
        value = {"when": when.sight, "of": when.written, "count": count.wanted, "by": list(when.by)}
        waiting = self._recorder.invoke(SCRIPT, "wait", value, step.pointer)
        if count.number < count.wanted:
            count.woken = asyncio.get_running_loop().create_future()
            self._clock.leave()
            try:
                await asyncio.wait([count.woken], timeout=when.within_ns / 1e9)
            finally:
                if count.woken is not None:  # nobody did
                    count.woken = None
                    self._clock.enter()
        if count.number < count.wanted:
            reason = self._in_vain(count)
            self._recorder.complete(waiting, "fail", {"reason": reason})
            raise StepFailedError(reason)
        self._recorder.complete(waiting, "ok")

    def _watch(self, op: Op) -> None:
        sight = _sight(op)
        if not sight:
            return
        for count in self._counts.values():
            if count.when.sight != sight:
                continue
            count.see(op)
            if count.woken is not None and count.number >= count.wanted:
                self._clock.enter()
                count.woken.set_result(None)
                count.woken = None

    def _in_vain(self, count: _Count) -> str:
        when = count.when
        by = f" by {' and '.join(when.by)}" if when.by else ""
        last = f", the last {count.last}" if count.last else ""
        return (
            f"waited {duration(when.within_ns)} for {count.wanted} of `{when.written}` to be {when.sight}{by}:"
            f" {count.number} came{last}; {self._alive()}"
        )


def _sight(op: Op) -> str:
    if op.f == "deliver":
        return "received"
    if op.f == "send":
        return {"invoke": "sent", "ok": "answered", "fail": "answered"}.get(op.type, "")
    return ""
