"""The stage on which verbs are played: it asks the cast, writes the history, keeps the scenario clock."""

from __future__ import annotations

import asyncio
import time

from harness.model.actions import KeyChange
from harness.model.cast import Room
from harness.model.faults import SERVER, Heal, Kill, Pause, Restart, Resume, Start
from harness.model.history import SCRIPT
from harness.model.steps import Affliction, Parallel, Step
from harness.run.block import Blocks, StoppedError
from harness.run.cast import Cast
from harness.run.clock import Clock
from harness.run.names import message_key
from harness.run.nemesis import Nemesis
from harness.run.recorder import Recorder
from harness.verbs.stage import Answer, StepFailedError, together

#: How often the server is asked for what is to be gone: nothing tells us when retention has done its work.
LOOK_AGAIN_S = 0.05
#: What a fence may take at least, however little of the step's time the waiting before it has left.
FENCE_S = 1.0


class Script:
    """Implements `harness.verbs.stage.Stage`.

    Args:
        recorder: told of expectations and waits; players record the rest.
        clock: the scenario clock.
        cast: who can be asked.
        nemesis: does the faults.
        blocks: plays what stands in lanes.
    """

    def __init__(
        self, recorder: Recorder, clock: Clock, cast: Cast, nemesis: Nemesis, blocks: Blocks
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._cast = cast
        self._nemesis = nemesis
        self._blocks = blocks
        self._sent: dict[str, tuple[str, str, str]] = {}
        """Message id -> (sender, room, text), for those who send again."""

    async def connect(self, client: str, step: Step) -> Answer:
        """Bring one client online."""
        player = self._cast.players[client]
        address = self._cast.server.address(client)
        answer = await player.connect(address, step.within_ns / 1e9, step.pointer)
        player.refused = step.refused is not None and answer.code == step.refused
        if answer.type == "fail" and step.refused is None and self._cast.is_outsider(player, answer.code):
            player.refused = True
            return Answer(answer.process, "ok")  # he hears nothing, which is all that is asked of an outsider
        return answer

    async def disconnect(self, client: str, step: Step) -> Answer:
        """Take one client offline."""
        return await self._cast.players[client].disconnect(step.within_ns / 1e9, step.pointer)

    async def send(self, client: str, room: str, message: str, text: str, step: Step) -> Answer:
        """Send one message."""
        player = self._cast.players[client]
        self._sent[message] = client, room, text
        key = message_key(message)
        self._cast.know(room, player.client.user, key, message)
        begun = self._recorder.now()
        answer, _ = await player.send(room, message, key, text, step.within_ns / 1e9, step.pointer)
        excused = answer.type == "info" and self._nemesis.touched((client, SERVER), begun)
        return answer._replace(excused=excused)

    async def resend(self, message: str, step: Step) -> Answer:
        """Send a message again."""
        client, room, text = self._sent[message]
        return await self.send(client, room, message, text, step)

    async def create(self, client: str, room: Room, step: Step) -> Answer:
        """Make a room."""
        return await self._cast.create(client, room, step.within_ns / 1e9, step.pointer)

    async def join(self, client: str, room: str, step: Step) -> Answer:
        """Enter a room."""
        return await self._cast.players[client].move("join", room, None, step.within_ns / 1e9, step.pointer)

    async def leave(self, client: str, room: str, step: Step) -> Answer:
        """Leave a room."""
        return await self._cast.players[client].move("leave", room, None, step.within_ns / 1e9, step.pointer)

    async def add(self, client: str, user: str, room: str, step: Step) -> Answer:
        """Take another user into a room."""
        return await self._cast.players[client].move("add", room, user, step.within_ns / 1e9, step.pointer)

    async def kick(self, client: str, user: str, room: str, step: Step) -> Answer:
        """Put another user out of a room."""
        return await self._cast.players[client].move("kick", room, user, step.within_ns / 1e9, step.pointer)

    async def poll(self, client: str, step: Step) -> Answer:
        """Read until caught up with everything answered so far."""
        positions = self._cast.fences.frontier.positions
        return await self._cast.players[client].poll(positions, step.within_ns / 1e9, step.pointer)

    async def ack(self, client: str, through: str | None, step: Step) -> Answer:
        """Acknowledge by hand."""
        sightings = self._cast.sightings
        if through is None:
            acks = sightings.due(client)
            if not acks:
                raise StepFailedError(f"{client}: has received nothing that could be acknowledged")
        else:
            found = sightings.sequence(through)
            if found is None:
                raise StepFailedError(f"{client}: the server told no sequence of `{through}` to acknowledge")
            room, sequence = found
            acks = {room: sequence}
        return await self._cast.players[client].ack(acks, step.within_ns / 1e9, step.pointer)

    async def expect(
        self, ids: tuple[str, ...], received_by: tuple[str, ...], not_by: tuple[str, ...], step: Step
    ) -> bool:
        """Wait for receipts, then for the silence of others to be shown."""
        value = {"ids": list(ids), "received_by": list(received_by), "not_by": list(not_by)}
        invoked = self._recorder.invoke(SCRIPT, "expect", value, step.pointer)
        sightings = self._cast.sightings
        # A client that is read only by its own poll steps is judged on what these have brought, without waiting.
        awaited = [name for name in received_by if self._cast.players[name].client.receive != "manual"]
        within_s = step.within_ns / 1e9
        begun = time.monotonic()
        await sightings.wait(lambda: not sightings.missing(ids, awaited), within_s)
        if not_by:
            left = max(FENCE_S, within_s - (time.monotonic() - begun))
            window = within_s if step.within_given else None
            # A fence would read for a manual client, which only its poll steps may do.
            fenced = [p for p in self._cast.some(not_by) if p.client.receive != "manual"]
            cut_off = self._nemesis.cut_off(not_by)
            await self._cast.fences.put(fenced, left, window, step.pointer, cut_off)
        missing, seen = sightings.missing(ids, received_by), sightings.seen(ids, not_by)
        self._recorder.complete(
            invoked,
            "fail" if missing or seen else "ok",
            {"missing": [list(pair) for pair in missing], "seen": [list(pair) for pair in seen]},
        )
        return not missing and not seen

    async def until_gone(self, ids: tuple[str, ...], step: Step) -> None:
        """Look again and again until the server keeps none of these messages."""
        invoked = self._recorder.invoke(SCRIPT, "gone", {"ids": list(ids)}, step.pointer)
        deadline = time.monotonic() + step.within_ns / 1e9
        try:
            await self._all_gone(ids, deadline, step)
        except StepFailedError as fault:
            self._recorder.complete(invoked, "fail", {"reason": str(fault)})
            raise
        self._recorder.complete(invoked, "ok")

    async def _all_gone(self, ids: tuple[str, ...], deadline: float, step: Step) -> None:
        while left := await self._kept(ids, deadline):
            if time.monotonic() >= deadline:
                those = ", ".join(left)
                raise StepFailedError(f"the server still keeps {those} after {step.within_ns / 1e9:g} s")
            await asyncio.sleep(LOOK_AGAIN_S)  # retention tells nobody what it has removed

    async def _kept(self, ids: tuple[str, ...], deadline: float) -> list[str]:
        """Return which of these messages are in their rooms now."""
        left_s = max(FENCE_S, deadline - time.monotonic())
        sent = {id_: self._sent[id_] for id_ in ids if id_ in self._sent}
        rooms = dict.fromkeys(room for _, room, _ in sent.values())
        found = await together(
            self._cast.harness.browse(room, self._cast.fences.frontier.positions, left_s) for room in rooms
        )
        there = set().union(*found)
        return [
            id_
            for id_, (client, room, _) in sent.items()
            if (room, self._cast.players[client].client.user, message_key(id_)) in there
        ]

    async def rotate_keys(self, change: KeyChange, step: Step) -> Answer:
        """Change the keys, by the hand of the harness."""
        return await self._cast.harness.rotate_keys(change, step.within_ns / 1e9, step.pointer)

    async def parallel(self, action: Parallel, step: Step) -> None:
        """Play the lanes."""
        value = {"lanes": [lane.name for lane in action.lanes]}
        invoked = self._recorder.invoke(SCRIPT, "parallel", value, step.pointer)
        try:
            async with asyncio.timeout(step.within_ns / 1e9 if step.within_given else None):
                await self._blocks.play_lanes(action.lanes, self)
        except TimeoutError:
            reason = f"the lanes were not done within {step.within_ns / 1e9:g} s"
            self._recorder.complete(invoked, "fail", {"reason": reason})
            raise StepFailedError(reason) from None
        except StoppedError as stopped:
            self._recorder.complete(invoked, "fail", {"reason": "a step of a lane failed"})
            raise stopped from None
        self._recorder.complete(invoked, "ok")

    async def kill(self, action: Kill, step: Step) -> None:
        """End processes."""
        await self._nemesis.kill(action, step.within_ns / 1e9, step.pointer)

    async def start(self, action: Start, step: Step) -> None:
        """Start what was killed."""
        await self._nemesis.start(action.targets, step.within_ns / 1e9, step.pointer)

    async def restart(self, action: Restart, step: Step) -> None:
        """End processes in good order, and start them."""
        await self._nemesis.restart(action, step.within_ns / 1e9, step.pointer)

    async def freeze(self, action: Pause, step: Step) -> None:
        """Make processes stand still."""
        await self._nemesis.freeze(action, step.within_ns / 1e9, step.pointer)

    async def thaw(self, action: Resume, step: Step) -> None:
        """Let processes go on."""
        await self._nemesis.thaw(action.targets, step.within_ns / 1e9, step.pointer)

    async def strike(self, action: Affliction, step: Step) -> None:
        """Begin a fault on what is no process."""
        await self._nemesis.strike(action, step.within_ns / 1e9, step.pointer)

    async def heal(self, action: Heal, step: Step) -> None:
        """End such faults."""
        await self._nemesis.heal(action, step.within_ns / 1e9, step.pointer)

    async def until_healed(self, fault: str, step: Step) -> None:
        """Wait until a fault is over."""
        waiting = self._recorder.invoke(SCRIPT, "wait", {"fault": fault}, step.pointer)
        try:
            await self._nemesis.until_healed(fault, step.within_ns / 1e9)
        except StepFailedError as late:
            self._recorder.complete(waiting, "fail", {"reason": str(late)})
            raise
        self._recorder.complete(waiting, "ok")

    async def pause(self, duration_ns: int, step: Step) -> None:
        """Let scenario time pass."""
        waiting = self._recorder.invoke(SCRIPT, "wait", {"duration_ns": duration_ns}, step.pointer)
        await self._clock.pause(duration_ns)
        self._recorder.complete(waiting, "ok")

    async def pause_until_next(self, previous_start_ns: int, every_ns: int) -> int:
        """Wait until `every_ns` after the previous start; return the start now."""
        await self._clock.pause_until(previous_start_ns + every_ns)
        return self._clock.now()

    def now(self) -> int:
        """Return the scenario clock, ns."""
        return self._clock.now()
