"""The stage on which verbs are played: it asks the cast, writes the history, keeps the scenario clock."""

from __future__ import annotations

import time

from harness.model.history import SCRIPT
from harness.model.plan import Step
from harness.run.cast import Cast
from harness.run.clock import Clock
from harness.run.names import message_key
from harness.run.recorder import Recorder
from harness.verbs.stage import Answer

#: What a fence may take at least, however little of the step's time the waiting before it has left.
FENCE_S = 1.0


class Script:
    """Implements `harness.verbs.stage.Stage`.

    Args:
        recorder: told of expectations and waits; players record the rest.
        clock: the scenario clock.
        cast: who can be asked.
    """

    def __init__(self, recorder: Recorder, clock: Clock, cast: Cast) -> None:
        self._recorder = recorder
        self._clock = clock
        self._cast = cast

    async def connect(self, client: str, step: Step) -> Answer:
        """Bring one client online."""
        player = self._cast.players[client]
        answer = await player.connect(self._cast.server.address, step.within_ns / 1e9, step.pointer)
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
        key = message_key(message)
        self._cast.know(room, player.client.user, key, message)
        answer, _ = await player.send(room, message, key, text, step.within_ns / 1e9, step.pointer)
        return answer

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
            await self._cast.fences.put(self._cast.some(not_by), left, window, step.pointer)
        missing, seen = sightings.missing(ids, received_by), sightings.seen(ids, not_by)
        self._recorder.complete(
            invoked,
            "fail" if missing or seen else "ok",
            {"missing": [list(pair) for pair in missing], "seen": [list(pair) for pair in seen]},
        )
        return not missing and not seen

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
