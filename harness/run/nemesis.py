"""The nemesis: does to processes what the script says, puts it on record, and heals it.

A fault is active on each of its targets from its invocation until what ends it was answered; as long as any is,
the scenario clock runs at real rate. What a `for` ends goes on beside the script; if it cannot be ended, the
script is. At the end of a script everything is healed, so that everybody can be read.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.model.faults import SERVER, Kill, Pause, Restart
from harness.model.history import NEMESIS, Op
from harness.run.cast import Cast
from harness.run.clock import Clock
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


class _Fault:
    """One fault from its invocation until it is over on all its targets."""

    def __init__(self, verb: str, targets: Iterable[str], began: Op) -> None:
        self.verb = verb
        self.pointer = began.step
        self.began_ns = began.time
        self.left = set(targets)
        self.over_ns: dict[str, int] = {}
        self.healed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.Task[None] | None = None
        """Heals it after its `for`."""
        self.waiting = True
        """Whether that has not begun yet."""

    def touches(self, names: Iterable[str], since_ns: int) -> bool:
        """Whether it was active on one of these at some moment since."""
        return any(name in self.left or self.over_ns.get(name, -1) >= since_ns for name in names)


class Nemesis:
    """The faults of one run.

    Args:
        recorder: told of every fault and of every heal.
        clock: held at real rate while a fault is active.
        cast: whose processes can be meant, the server's too.
    """

    def __init__(self, recorder: Recorder, clock: Clock, cast: Cast) -> None:
        self.failed: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
        """Settled when a fault could not be ended after its `for`."""
        self._recorder = recorder
        self._clock = clock
        self._cast = cast
        self._faults: dict[str, _Fault] = {}

    @property
    def any(self) -> bool:
        """Whether there ever was a fault."""
        return bool(self._faults)

    def touched(self, names: Iterable[str], since_ns: int) -> bool:
        """Whether a fault was active on one of these at some moment since, in the recorder's time."""
        wanted = tuple(names)
        return any(fault.touches(wanted, since_ns) for fault in self._faults.values())

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

    async def until_healed(self, fault: str) -> None:
        """Wait until a fault is over; for as long as its `for` and its heal take."""
        if fault in self._faults:
            await asyncio.wait([self._faults[fault].healed])

    async def rest(self) -> None:
        """Do nothing more by itself: what a `for` would end stays as it is; a heal under way comes to its end."""
        timed = [fault for fault in self._faults.values() if fault.timer is not None]
        for fault in timed:
            if fault.waiting and fault.timer is not None:
                fault.timer.cancel()
        if timed:
            await asyncio.wait([fault.timer for fault in timed if fault.timer is not None])

    async def heal_all(self) -> None:
        """End every fault, whatever state the script left it in; what does not work is on record."""
        await self.rest()
        everybody: dict[str, Player | Server] = {SERVER: self._cast.server, **self._cast.players}
        frozen = [name for name, who in everybody.items() if who.frozen]
        down = [SERVER] if self._cast.server.down else []
        down += [
            name
            for name, player in self._cast.players.items()
            if player.killed and not player.client.stay_offline
        ]
        for targets, heal in ((frozen, self._resume), (down, self._start)):
            if targets:
                try:
                    await heal(targets, HEAL_S, None, None)
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

    def _begin(self, action: Kill | Pause | Restart, value: Mapping[str, Any], pointer: str) -> Op:
        length = getattr(action, "for_ns", None)
        more = {} if length is None else {"for_ns": length}
        invoked = self._recorder.invoke(
            NEMESIS, action.verb, {"targets": list(action.targets), **value, **more}, pointer
        )
        self._faults[action.id] = _Fault(action.verb, action.targets, invoked)
        self._clock.enter()  # until it is over
        return invoked

    def _done(self, invoked: Op, reason: str) -> None:
        if not reason:
            self._recorder.complete(invoked, "ok")
            return
        error = {"code": "FAILED_PRECONDITION", "reason": "NEMESIS", "message": reason}
        self._recorder.complete(invoked, "fail", error=error)
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
            self._cast.players[name].connect(server.address, within_s, pointer)
            for name in targets
            if name != SERVER
        )
        for answer in answers:
            if answer.type != "ok":
                return f"{answer.process} could not connect: {answer.code} {answer.message}".rstrip()
        return ""

    def _end(self, verb: str, targets: Iterable[str]) -> None:
        now = self._recorder.now()
        for fault in self._faults.values():
            if fault.verb not in ENDS[verb] or fault.healed.done():
                continue
            for name in fault.left.intersection(targets):
                fault.left.discard(name)
                fault.over_ns[name] = now
            if not fault.left:
                fault.healed.set_result(None)
                self._clock.leave()

    def _process(self, name: str) -> Player | Server:
        return self._cast.server if name == SERVER else self._cast.players[name]


def _unwilling(targets: Sequence[str], worked: Sequence[bool], otherwise: str) -> str:
    """Return what to say of those for whom it did not work; nothing when it worked for all."""
    those = [name for name, did in zip(targets, worked, strict=True) if not did]
    return f"{' and '.join(those)} {otherwise}" if those else ""


async def _awaited(work: Awaitable[bool]) -> bool:
    return await work
