"""One run from the first process to the last: server, cast, script, final phase, end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.keeper.handle import CommandError, Keeper
from harness.model.history import HARNESS, SCRIPT, Op
from harness.model.plan import Plan
from harness.model.steps import Step
from harness.run import needs
from harness.run.block import Blocks, StoppedError
from harness.run.calls import Calls
from harness.run.cast import Cast
from harness.run.clock import Clock
from harness.run.command import uses
from harness.run.disk import Disk
from harness.run.final import final_phase
from harness.run.means import Means
from harness.run.nemesis import Nemesis
from harness.run.network import Network
from harness.run.outages import Outages
from harness.run.recorder import Observer, Recorder
from harness.run.script import Script
from harness.run.server import Server
from harness.run.settings import CouldNotRunError, Settings
from harness.run.traffic import Traffic
from harness.run.triggers import Triggers
from harness.run.watch import Watch
from harness.verbs.stage import together

#: How long after an interruption the final phase may go on, seconds.
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a run reports beside its history."""

    duration_ns: int
    scripted_waiting_ns: int
    interrupted: bool
    leftovers: tuple[tuple[int, str], ...]
    """(pid, command) of what was still running after everybody was told to go; they were killed."""


async def play(
    plan: Plan,
    directory: Path,
    keeper: Keeper,
    settings: Settings,
    *,
    row: str,
    on_step: Callable[[int, Step], None] = lambda _index, _step: None,
    on_op: Observer | None = None,
    stop: asyncio.Event | None = None,
) -> Played:
    """Play a plan and leave `history.jsonl` and `logs/` in `directory`.

    Args:
        plan: what to play.
        directory: the row's folder, which exists and is empty of both.
        keeper: attached; all processes are its children.
        settings: which server, which drivers, how fast.
        row: unique name of this run among all of the keeper's, `[a-z0-9]+`; user and room ids end in it.
        on_step: told of each step as it begins, with its number among all steps of the plan, from 0.
        on_op: told of each operation as it is recorded; must not raise and must not wait.
        stop: when set, the script is left where it is; the final phase is still played, in short time.

    Raises:
        CouldNotRunError: the server was never ready, a driver is unusable, or the history cannot be written. What
            happened until then is in the history, and no process is left.
        SkippedError: the plan needs what the server or its driver cannot do. Nothing was played.
    """
    logs = directory / "logs"
    logs.mkdir()
    recorder = Recorder(directory / "history.jsonl", keeper.run)
    if on_op is not None:
        recorder.listen(on_op)
    clock = Clock(1.0 if plan.workload else settings.speed)  # a workload is never compressed
    network = await _network(plan)
    server = Server(
        settings,
        keeper,
        recorder,
        data=keeper.scratch / row / "data",
        log=logs / "server.log",
        row=row,
        tokens=plan.looks_at_tokens,
        options=plan.options,
        network=network,
        piped=plan.troubles_disk,
    )
    calls = Calls(network) if network is not None and plan.troubles_calls else None
    cast = Cast(plan, keeper, recorder, settings, server, logs=logs, row=row)
    recorder.on_lost = lambda fault: cast.give_up(_unrecorded(fault))
    stop = stop or asyncio.Event()
    watch = Watch(plan, settings, recorder, clock, logs)
    try:
        try:
            needs.check_machine(plan)
            if calls is not None:
                calls.on_broken = cast.broken
                await calls.start(keeper, logs / "proxy.log", row)
            means = _means(network, server, calls)
            playing = _play(plan, settings, recorder, clock, server, cast, means, on_step, stop)
            await _unless(watch.hung, playing)
        finally:
            watch.stop()
            await cast.leave()
            await server.take_stock()
            await server.stop()
            if calls is not None:
                await calls.stop()
            leftovers = await keeper.sweep(row)
            recorder.note(HARNESS, "leftovers", {"processes": leftovers})
    except CommandError as fault:
        raise CouldNotRunError(
            f"a driver could not be started: {fault}",
            command=settings.driver or "",
            help="the driver command is split as a shell splits words; give the program's path",
        ) from fault
    finally:
        if network is not None:
            network.close()
        duration = recorder.now()
        recorder.close()
    if recorder.lost is not None:
        raise _unrecorded(recorder.lost)
    return Played(
        duration_ns=duration,
        scripted_waiting_ns=clock.paused_ns,
        interrupted=stop.is_set(),
        leftovers=tuple(leftovers),
    )


async def _network(plan: Plan) -> Network | None:
    """Listen for the clients, unless they can as well connect to the server itself: nothing is faster."""
    if plan.troubles_network:
        return await Network.open((client.name for client in plan.clients), plan.seed)
    return await Network.open() if plan.moves_server else None


def _means(network: Network | None, server: Server, calls: Calls | None) -> Mapping[str, Means]:
    """Return by which means each verb is done, of those that this plan may have."""
    means: dict[str, Means] = dict.fromkeys(("disk_full", "read_only"), Disk(server))
    if network is not None:
        means |= dict.fromkeys(("cut", "slow", "refuse", "half_open", "reset"), Outages(network))
    if calls is not None:
        means |= dict.fromkeys(("lose", "delay", "duplicate", "goaway"), calls)
    return means


async def _begin(plan: Plan, settings: Settings, server: Server, cast: Cast) -> None:
    """Get the server and the harness ready, or skip the plan that they cannot play."""
    if settings.address is not None:
        needs.check_server(plan, by_own_driver=settings.driver is None)
    if settings.driver is None and not uses(settings.server, "members", "member_numbers"):
        needs.check_options(plan, settings.server)
        # Both to their ends, also when one fails: nobody may be half started when the run is taken down.
        for ended in await asyncio.gather(server.start(), cast.prepare(), return_exceptions=True):
            if ended is not None:
                raise ended
        return
    # What a driver can do decides whether a server is needed at all, and what its command is told.
    await cast.prepare()
    needs.check(plan, cast.harness.capabilities)
    needs.check_options(plan, settings.server)
    server.words = cast.words()
    if settings.driver is not None:
        server.knock = cast.knock
    await server.start()


async def _play(
    plan: Plan,
    settings: Settings,
    recorder: Recorder,
    clock: Clock,
    server: Server,
    cast: Cast,
    means: Mapping[str, Means],
    on_step: Callable[[int, Step], None],
    stop: asyncio.Event,
) -> None:
    await _begin(plan, settings, server, cast)
    await _unless(cast.fault, cast.provision())
    nemesis = Nemesis(recorder, clock, cast, means)
    for each in means.values():
        if isinstance(each, Calls):
            each.on_fired = nemesis.fired
    numbers = {step.pointer: number for number, step in enumerate(plan.walk())}
    triggers = Triggers(plan, recorder, clock, cast.roll_call)
    begun: list[tuple[Step, int]] = []

    def begin(step: Step) -> None:
        begun[:] = [(step, recorder.now())]
        on_step(numbers[step.pointer], step)

    blocks = Blocks(clock, begin, triggers)
    stage = Script(recorder, clock, cast, nemesis, blocks)
    traffic = None
    if plan.workload is not None:
        traffic = Traffic(plan.workload, recorder, clock, cast, nemesis, stage)
    played = asyncio.ensure_future(_perform(plan, blocks, stage, traffic))
    stopped = asyncio.ensure_future(stop.wait())
    enders: list[asyncio.Future[Any]] = [played, stopped, server.died, cast.fault, nemesis.failed]
    script = recorder.invoke(SCRIPT, "script", {})
    try:
        await asyncio.wait(enders, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
        await _over(played)
        if traffic is None:  # what a workload left under way may need what its faults took away
            await nemesis.rest()
    try:
        await _finish(plan, recorder, cast, nemesis, traffic, script, played, begun)
    finally:
        if traffic is not None:
            await traffic.abandon()
            await nemesis.rest()


async def _perform(plan: Plan, blocks: Blocks, stage: Script, traffic: Traffic | None) -> None:
    """Play the script, and the workload beside it."""
    if traffic is None:
        await blocks.play(plan.steps, stage)
        return
    await traffic.begin()
    await together([traffic.play(), blocks.play(plan.steps, stage)])


async def _finish(
    plan: Plan,
    recorder: Recorder,
    cast: Cast,
    nemesis: Nemesis,
    traffic: Traffic | None,
    script: Op,
    played: asyncio.Future[Any],
    begun: Sequence[tuple[Step, int]],
) -> None:
    """Say on record how the script ended, then play the final phase if there is still somebody to play it."""
    server = cast.server
    if cast.fault.done():
        _end(recorder, script, cast.fault.result().sentence)
        raise cast.fault.result()
    if server.died.done():
        _end(recorder, script, f"the server ended unasked ({server.died.result()})")
        return
    if played.cancelled() and not nemesis.failed.done():
        step, since = begun[-1] if begun else (None, 0)
        into = f", {(recorder.now() - since) / 1e9:.1f} s into this step" if step else ""
        _end(recorder, script, f"interrupted{into}", step)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await _final(plan, recorder, cast, nemesis, traffic)
        return
    if nemesis.failed.done():
        pointer, reason = nemesis.failed.result()
        recorder.complete(script, "fail", {"reason": reason}, step=pointer)
    elif isinstance(stopper := played.exception(), StoppedError):
        recorder.complete(script, "fail", {"reason": stopper.reason}, step=stopper.step.pointer)
    else:
        played.result()
        recorder.complete(script, "ok")
    await _final(plan, recorder, cast, nemesis, traffic)


async def _final(
    plan: Plan, recorder: Recorder, cast: Cast, nemesis: Nemesis, traffic: Traffic | None
) -> None:
    """Play the final phase, unless the server or a driver's protocol ends it first."""
    server = cast.server
    final = asyncio.ensure_future(final_phase(plan, recorder, cast, nemesis, traffic))
    enders: list[asyncio.Future[Any]] = [final, server.died, cast.fault]
    try:
        await asyncio.wait(enders, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _over(final)
    if cast.fault.done():
        raise cast.fault.result()
    if not final.cancelled():
        final.result()


async def _over(task: asyncio.Future[Any], patience_s: float | None = None) -> None:
    """See that it has ended; how, matters only where nothing else had ended before it.

    Args:
        task: what is to end.
        patience_s: what hangs may not hear of it: go on without it after so long.
    """
    task.add_done_callback(_noted)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=patience_s)


def _noted(task: asyncio.Future[Any]) -> None:
    """Look at how it ended: asyncio complains of an error that nobody looked at."""
    if not task.cancelled():
        task.exception()


async def _unless(fault: asyncio.Future[CouldNotRunError], work: Any) -> None:
    """Await `work`, but give it up and raise when `fault` comes first; give it up also when we are."""
    task = asyncio.ensure_future(work)
    waiting: list[asyncio.Future[Any]] = [task, fault]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = task.done()
        await _over(task, PATIENCE_S)
    if not ended:
        raise fault.result()
    task.result()


def _unrecorded(fault: OSError) -> CouldNotRunError:
    return CouldNotRunError(
        f"the history could not be written: {fault.strerror}",
        help="make room where the reports are, or keep them on another disk",
    )


def _end(recorder: Recorder, script: Op, reason: str, step: Step | None = None) -> None:
    recorder.complete(script, "fail", {"reason": reason}, step=step.pointer if step else None)
