"""A workload being played: each act starts at its moment, whatever became of those before it.

Three things may hold an act back. Its client does one thing at a time to its own connection and its own reading
(`_ONE_AT_A_TIME`), and what comes after that waits for it. Who is in a room is changed one at a time for each user:
of a kick and an addition under way at once, nobody could say which was the last. And a fault waits until whom it
hits has recovered from the one before. All this shows as lateness, which the report tells.

Invariants:
* Every act is on record by its pointer: by the operation that it began, or by a `skip` that says why it began none.
* When `drain` returns true, no act is under way.
"""

from __future__ import annotations

import asyncio

from harness.model.actions import Add, Join, Kick, Leave
from harness.model.history import SCRIPT, Op
from harness.model.steps import Step
from harness.model.workload import ACTS, Workload, actor
from harness.run.block import StoppedError
from harness.run.cast import Cast
from harness.run.clock import Clock
from harness.run.nemesis import Nemesis
from harness.run.recorder import Recorder
from harness.verbs import VERBS
from harness.verbs.stage import Stage, StepFailedError, together

_ONE_AT_A_TIME = frozenset({"connect", "disconnect", "poll", "ack"})
_MEMBERSHIP = (Join, Leave, Add, Kick)


class Traffic:
    """The workload of one run.

    Args:
        workload: what to do, and when.
        recorder: told when it begins, and of acts that are passed over; the stage records the rest.
        clock: at real speed.
        cast: who does it.
        nemesis: knows which faults are active.
        stage: on which acts and faults are played, as steps are.
    """

    def __init__(
        self,
        workload: Workload,
        recorder: Recorder,
        clock: Clock,
        cast: Cast,
        nemesis: Nemesis,
        stage: Stage,
    ) -> None:
        self._workload = workload
        self._recorder = recorder
        self._clock = clock
        self._cast = cast
        self._nemesis = nemesis
        self._stage = stage
        self._turns = {name: asyncio.Lock() for name in cast.players}
        self._doors: dict[tuple[str, str], asyncio.Lock] = {}
        """By room and user."""
        self._under_way: set[asyncio.Task[None]] = set()
        self._begun: set[str] = set()
        self._over = False
        recorder.listen(self._watch)

    async def begin(self) -> None:
        """Connect everybody who takes part.

        Raises:
            StoppedError: somebody could not.
        """
        step = self._workload.begin
        try:
            await VERBS[step.action.verb].play(self._stage, step)
        except StepFailedError as fault:
            raise StoppedError(step, str(fault)) from fault

    async def play(self) -> None:
        """Start every act and every fault at its moment; return when the time of the workload is over.

        Raises:
            StoppedError: a fault could not be inflicted.
        """
        workload = self._workload
        value = {
            "acts": len(workload.acts),
            "faults": len(workload.faults),
            "duration_ns": workload.duration_ns,
        }
        with self._clock.in_flight():  # time with traffic in it is no waiting
            invoked = self._recorder.invoke(SCRIPT, "workload", value, "/workload")
            zero = self._clock.now()
            try:
                await together([self._start_acts(zero), self._strike(zero)])
            except StoppedError as stopped:
                self._recorder.complete(invoked, "fail", {"reason": stopped.reason})
                raise
            finally:
                self._over = True
        self._recorder.complete(invoked, "ok")

    async def drain(self, within_s: float | None = None) -> bool:
        """Start nothing more, and wait until what is under way has ended.

        Args:
            within_s: wait so long at the most; without it as long as it takes, for each act has its own deadline.

        Returns:
            Whether everything has ended.
        """
        self._over = True
        self._settle()
        invoked = self._recorder.invoke(SCRIPT, "drain", {"acts": len(self._under_way)})
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)
            self._settle()
        self._recorder.complete(invoked, "ok", {"left": len(self._under_way)})
        return not self._under_way

    async def abandon(self) -> None:
        """Leave what is under way where it is."""
        self._over = True
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _start_acts(self, zero: int) -> None:
        with self._clock.in_flight():  # a lane of its own, which waits
            for act in self._workload.acts:
                await self._clock.pause_until(zero + (act.at_ns or 0))
                self._settle()
                self._under_way.add(asyncio.ensure_future(self._act(act)))
            await self._clock.pause_until(zero + self._workload.duration_ns)

    async def _strike(self, zero: int) -> None:
        """Inflict the faults; those on the same target one after the other."""
        latest: dict[str, str] = {}
        for fault in self._workload.faults:
            with self._clock.in_flight():
                await self._clock.pause_until(zero + (fault.at_ns or 0))
            targets = getattr(fault.action, "targets", ())
            before = {latest[name] for name in targets if name in latest}
            left_s = (zero + self._workload.duration_ns - self._clock.now()) / 1e9
            try:
                async with asyncio.timeout(left_s):
                    await together(self._nemesis.until_healed(id_, left_s) for id_ in before)
            except TimeoutError:
                reason = "a fault before it was not over in time"
                value = {"client": ", ".join(targets), "verb": fault.action.verb, "reason": reason}
                self._recorder.note(SCRIPT, "skip", value, step=fault.pointer)
                continue
            try:
                await VERBS[fault.action.verb].play(self._stage, fault)
            except StepFailedError as failed:
                raise StoppedError(fault, str(failed)) from failed
            latest.update(dict.fromkeys(targets, getattr(fault.action, "id", "")))

    async def _act(self, act: Step) -> None:
        verb, name = act.action.verb, actor(act)
        async with self._turns[name]:
            if verb in _ONE_AT_A_TIME:
                await self._play(act, verb, name)
                return
        if isinstance(act.action, _MEMBERSHIP):
            user = getattr(act.action, "users", (self._cast.players[name].client.user,))[0]
            async with self._doors.setdefault((act.action.room, user), asyncio.Lock()):
                await self._play(act, verb, name)
            return
        await self._play(act, verb, name)

    async def _play(self, act: Step, verb: str, name: str) -> None:
        reason = self._hindrance(verb, name)
        if not reason:
            try:
                await VERBS[verb].play(self._stage, act)
            except StepFailedError as failed:
                # How it ended is on record, and nobody promised that it would end otherwise.
                reason = str(failed)
        if act.pointer not in self._begun:
            self._recorder.note(
                SCRIPT, "skip", {"client": name, "verb": verb, "reason": reason}, step=act.pointer
            )
        self._begun.discard(act.pointer)

    def _hindrance(self, verb: str, name: str) -> str:
        """Say why a client is in no state for an act; nothing when it is."""
        if self._over:
            return "the workload was over"
        if self._nemesis.down(name):
            return f"{name} was killed"
        online = self._cast.players[name].online
        if verb == "connect" and online:
            return f"{name} was online already"
        if verb != "connect" and not online:
            return f"{name} was offline"
        return ""

    def _settle(self) -> None:
        """Let go of what has ended; what broke, breaks the run."""
        for task in [task for task in self._under_way if task.done()]:
            self._under_way.discard(task)
            task.result()

    def _watch(self, op: Op) -> None:
        if op.type == "invoke" and op.step is not None and op.step.startswith(ACTS):
            self._begun.add(op.step)
