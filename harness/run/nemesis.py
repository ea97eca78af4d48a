"""The nemesis: does what the script says to processes and by other means, puts it on record, and heals it.

A fault is active on each of its targets from its invocation until what ends it was answered; as long as any is,
the scenario clock runs at real rate. What a `for` ends goes on beside the script; if it cannot be ended, the
script is. At the end of a script everything is healed, so that everybody can be read.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from harness.model.faults import SERVER, Heal, Kill, Pause, Restart
from harness.model.history import ENDS_ITSELF, NEMESIS, Op, OpType
from harness.model.steps import Affliction
from harness.run.calls import Calls
from harness.run.cast import Cast
from harness.run.clock import Clock
from harness.run.means import Means, NotDoneError, UnsureError
from harness.run.ongoing import Faults
from harness.run.player import Player
from harness.run.recorder import Recorder
from harness.run.server import Server
from harness.run.settings import CouldNotRunError
from harness.verbs.stage import StepFailedError, together

#: What a heal may take that no step waits for, seconds.
HEAL_S = 10.0
#: Which faults each healing verb ends.
ENDS: Mapping[str, tuple[str, ...]] = {"start": ("kill", "restart", "pause"), "resume": ("pause",)}


class Failure(NamedTuple):
    """A fault that could not be ended in time, so the script cannot go on."""

    pointer: str | None
    reason: str


class Nemesis:
    """The faults of one run.

    Args:
        recorder: told of every fault and of every heal.
        clock: held at real rate while a fault is active.
        cast: whose processes can be meant, the server's too.
        means: by which a verb's faults are done that are not on processes.
    """

    def __init__(self, recorder: Recorder, clock: Clock, cast: Cast, means: Mapping[str, Means]) -> None:
        self.failed: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        """Settled when a fault could not be ended after its `for`."""
        self._recorder = recorder
        self._clock = clock
        self._cast = cast
        self._means = means
        self._faults = Faults(clock)

    @property
    def any(self) -> bool:
        """Whether there ever was a fault."""
        return bool(self._faults)

    def touched(self, names: Iterable[str], since_ns: int) -> bool:
        """Whether a fault was active on one of these at some moment since, in the recorder's time."""
        return self._faults.touched(names, since_ns)

    def cut_off(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of these clients to whom the server cannot get through now."""
        struck = [fault.left for _, fault in self._faults.active(("cut", "half_open"))]
        return frozenset(name for name in names if any({name, SERVER} & left for left in struck))

    def down(self, name: str) -> bool:
        """Whether a fault has ended the process of this client, or is about to, and it is not back yet."""
        return any(name in fault.left for _, fault in self._faults.active(("kill", "restart")))

    async def kill(self, action: Kill, within_s: float, pointer: str) -> None:
        """End processes by a signal.

        Raises:
            StepFailedError: one did not end in time.
        """
        number = signal.Signals[action.signal]
        value = {"id": action.id, "signal": action.signal}
        await self._inflict(
            action, value, pointer, lambda who: who.kill(number, within_s),
            f"did not end within {within_s:g} s of {action.signal}",
        )  # fmt: skip
        self._heal_after(action.id, action.for_ns, self._start)

    async def freeze(self, action: Pause, within_s: float, pointer: str) -> None:
        """Make processes stand still.

        Raises:
            StepFailedError: one went on.
        """
        await self._inflict(
            action, {"id": action.id}, pointer, lambda who: who.freeze(within_s),
            f"did not stand still within {within_s:g} s",
        )  # fmt: skip
        self._heal_after(action.id, action.for_ns, self._resume)

    async def restart(self, action: Restart, within_s: float, pointer: str) -> None:
        """End processes in good order and start them again.

        Raises:
            StepFailedError: one did not end, or not come back, in time.
        """
        invoked = self._begin(action, {"id": action.id}, pointer)
        ended = await together(self._process(name).quit(within_s) for name in action.targets)
        reason = _unwilling(action.targets, ended, f"did not end within {within_s:g} s of being told to go")
        self._done(invoked, reason or await self._bring_up(action.targets, within_s, pointer))
        self._end("start", action.targets)

    async def start(self, targets: Sequence[str], within_s: float, pointer: str | None) -> None:
        """Start what was killed, the server first.

        Raises:
            StepFailedError: one did not come back in time.
        """
        await self._start(targets, within_s, pointer, None)

    async def thaw(self, targets: Sequence[str], within_s: float, pointer: str | None) -> None:
        """Let processes go on.

        Raises:
            StepFailedError: one still stands still.
        """
        await self._resume(targets, within_s, pointer, None)

    async def strike(self, action: Affliction, within_s: float, pointer: str) -> None:
        """Begin a fault on what is no process.

        Raises:
            StepFailedError: it did not take effect, as far as can be known.
        """
        asked = {
            name: value
            for name, value in dataclasses.asdict(action).items()
            if name not in ("verb", "targets", "id", "for_ns") and value is not None
        }
        invoked = self._begin(action, {"id": action.id, **asked}, pointer)
        means = self._means[action.verb]
        await self._attempt(invoked, functools.partial(means.begin, action, within_s))
        if action.verb in ENDS_ITSELF:
            self._faults.end(self._faults[action.id], action.targets, self._recorder.now())
        self._heal_after(action.id, getattr(action, "for_ns", None), self._undo)

    async def heal(self, action: Heal, within_s: float, pointer: str) -> None:
        """End faults on what is no process; those that are over already are passed over.

        Raises:
            StepFailedError: one is not over, as far as can be known.
        """
        for id_, fault in list(self._faults.active(self._means)):
            targets = fault.left if id_ in action.faults else fault.left.intersection(action.targets)
            if targets:
                await self._undo(sorted(targets), within_s, pointer, id_)

    def fired(self, fault: str, value: Mapping[str, Any]) -> None:
        """A fault has struck the call it waited for."""
        ongoing = self._faults[fault]
        targets = sorted(ongoing.left)
        self._recorder.note(
            NEMESIS, "fired", {"targets": targets, "id": fault, **value}, step=ongoing.pointer
        )
        self._faults.end(ongoing, targets, self._recorder.now())

    async def until_healed(self, fault: str, within_s: float) -> None:
        """Wait until a fault is over; for as long as its `for` and its heal take, or as it may wait for its call.

        Raises:
            StepFailedError: its call did not come in time.
        """
        if fault not in self._faults:
            return
        ongoing = self._faults[fault]
        means = self._means.get(ongoing.verb)
        if not isinstance(means, Calls):
            await asyncio.wait([ongoing.healed])
        elif not (await asyncio.wait([ongoing.healed], timeout=within_s))[0]:
            why = await means.waits_for(fault)
            raise StepFailedError(f"the fault `{fault}` did not strike within {within_s:g} s: {why}")

    async def rest(self) -> None:
        """Do nothing more by itself: what a `for` would end stays as it is; a heal under way comes to its end."""
        timed = self._faults.timed()
        for fault in timed:
            if fault.waiting and fault.timer is not None:
                fault.timer.cancel()
        if timed:
            await asyncio.wait([fault.timer for fault in timed if fault.timer is not None])

    async def heal_all(self) -> None:
        """End every fault, whatever state the script left it in; what does not work is on record."""
        await self.rest()
        await self._cast.server.seen_off(HEAL_S)  # a restart that was cut short
        everybody: dict[str, Player | Server] = {SERVER: self._cast.server, **self._cast.players}
        frozen = [name for name, who in everybody.items() if who.frozen]
        down = [SERVER] if self._cast.server.down else []
        down += [
            name
            for name, player in self._cast.players.items()
            if player.killed and not player.client.stay_offline
        ]
        heals = [
            functools.partial(self._undo, sorted(fault.left), HEAL_S, None, id_)
            for id_, fault in self._faults.active(self._means)
        ]
        # Processes come last: who starts must find a disk to write to, and a way to the server.
        heals += [
            functools.partial(heal, targets, HEAL_S, None, None)
            for targets, heal in ((frozen, self._resume), (down, self._start))
            if targets
        ]
        for heal in heals:
            try:
                await heal()
            except StepFailedError:
                continue  # the fences that will be missing speak for it

    # -- inflicting ----------------------------------------------------------------------------------------

    async def _inflict(
        self,
        action: Kill | Pause,
        value: Mapping[str, Any],
        pointer: str,
        act: Callable[[Player | Server], Awaitable[bool]],
        otherwise: str,
    ) -> None:
        invoked = self._begin(action, value, pointer)
        worked = await together(_awaited(act(self._process(name))) for name in action.targets)
        self._done(invoked, _unwilling(action.targets, worked, otherwise))

    def _begin(
        self, action: Kill | Pause | Restart | Affliction, value: Mapping[str, Any], pointer: str
    ) -> Op:
        length = getattr(action, "for_ns", None)
        more = {} if length is None else {"for_ns": length}
        invoked = self._recorder.invoke(
            NEMESIS, action.verb, {"targets": list(action.targets), **value, **more}, pointer
        )
        self._faults.begin(action.id, action.verb, action.targets, invoked)
        return invoked

    def _done(self, invoked: Op, reason: str) -> None:
        if reason:
            self._failed(invoked, "fail", reason)
        self._recorder.complete(invoked, "ok")

    async def _attempt(self, invoked: Op, act: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Do something by some means, and put on record how that ended."""
        try:
            done = await act()
        except NotDoneError as fault:
            self._failed(invoked, "fail", str(fault))
        except UnsureError as doubt:
            self._failed(invoked, "info", str(doubt))
        else:
            self._recorder.complete(invoked, "ok", done)

    def _failed(self, invoked: Op, how: OpType, reason: str) -> NoReturn:
        code = "FAILED_PRECONDITION" if how == "fail" else "DEADLINE_EXCEEDED"
        error = {"code": code, "reason": "NEMESIS", "message": reason}
        self._recorder.complete(invoked, how, error=error)
        raise StepFailedError(reason)

    def _heal_after(self, id_: str, length_ns: int | None, heal: Callable[..., Awaitable[None]]) -> None:
        """Heal after a time of the scenario clock, beside the script."""
        if length_ns is None:
            return
        fault = self._faults[id_]

        async def later() -> None:
            await self._clock.pause(length_ns)
            fault.waiting = False
            if fault.left:
                await heal(sorted(fault.left, key=lambda name: name != SERVER), HEAL_S, fault.pointer, id_)

        def done(task: asyncio.Task[None]) -> None:
            self._clock.leave()
            if not task.cancelled() and (broken := task.exception()) is not None and not self.failed.done():
                self.failed.set_result(Failure(fault.pointer, str(broken)))

        self._clock.enter()  # a lane of its own, which waits
        fault.timer = asyncio.ensure_future(later())
        fault.timer.add_done_callback(done)

    # -- healing -------------------------------------------------------------------------------------------

    async def _start(
        self, targets: Sequence[str], within_s: float, pointer: str | None, fault: str | None
    ) -> None:
        invoked = self._healing("start", targets, pointer, fault)
        self._done(invoked, await self._bring_up(targets, within_s, pointer))
        self._end("start", targets)

    async def _resume(
        self, targets: Sequence[str], within_s: float, pointer: str | None, fault: str | None
    ) -> None:
        invoked = self._healing("resume", targets, pointer, fault)
        worked = await together(self._process(name).thaw(within_s) for name in targets)
        self._done(invoked, _unwilling(targets, worked, f"did not go on within {within_s:g} s"))
        self._end("resume", targets)

    async def _undo(self, targets: Sequence[str], within_s: float, pointer: str | None, fault: str) -> None:
        """End a fault that was done by some means."""
        ongoing = self._faults[fault]
        invoked = self._recorder.invoke(NEMESIS, "heal", {"targets": list(targets), "ids": [fault]}, pointer)
        means = self._means[ongoing.verb]
        await self._attempt(invoked, functools.partial(means.end, fault, targets, within_s))
        self._faults.end(ongoing, targets, self._recorder.now())

    def _healing(self, verb: str, targets: Sequence[str], pointer: str | None, fault: str | None) -> Op:
        more = {} if fault is None else {"id": fault}
        return self._recorder.invoke(NEMESIS, verb, {"targets": list(targets), **more}, pointer)

    async def _bring_up(self, targets: Sequence[str], within_s: float, pointer: str | None) -> str:
        """Start the server, then the clients; return what went wrong."""
        server = self._cast.server
        if SERVER in targets and server.down:
            try:
                async with asyncio.timeout(within_s):
                    await server.start()
            except TimeoutError:
                return f"the server was not ready within {within_s:g} s"
            except CouldNotRunError as fault:
                return fault.sentence
        answers = await together(
            self._cast.players[name].connect(server.address(name), within_s, pointer)
            for name in targets
            if name != SERVER
        )
        for answer in answers:
            if answer.type != "ok":
                return f"{answer.process} could not connect: {answer.code} {answer.message}".rstrip()
        return ""

    def _end(self, verb: str, targets: Iterable[str]) -> None:
        names, now = tuple(targets), self._recorder.now()
        for _, fault in list(self._faults.active(ENDS[verb])):
            self._faults.end(fault, names, now)

    def _process(self, name: str) -> Player | Server:
        return self._cast.server if name == SERVER else self._cast.players[name]


def _unwilling(targets: Sequence[str], worked: Sequence[bool], otherwise: str) -> str:
    """Return what to say of those for whom it did not work; nothing when it worked for all."""
    those = [name for name, did in zip(targets, worked, strict=True) if not did]
    return f"{' and '.join(those)} {otherwise}" if those else ""


async def _awaited(work: Awaitable[bool]) -> bool:
    return await work
