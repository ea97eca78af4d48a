"""The final phase: let end what is under way, heal, bring everybody back, fence, listen on, read the rooms whole.

Who reads the rooms is a process that was not there before. Each of these steps is in the history, so that the judge
can tell what was looked at from what was not.
"""

from __future__ import annotations

import asyncio

from harness.model.history import HARNESS, SCRIPT
from harness.model.plan import Plan
from harness.run.cast import Cast
from harness.run.nemesis import Nemesis
from harness.run.player import Player
from harness.run.recorder import Recorder
from harness.run.traffic import Traffic
from harness.verbs.stage import together

RECONNECT_S = 10.0
FENCE_S = 5.0
#: After a workload there is more to read, and a busy machine has more to make up for.
LOADED_FENCE_S = 20.0
#: So long what is under way may take before faults that may hold it up are healed.
DRAIN_S = 2.0
AUDIT_S = 10.0


async def final_phase(
    plan: Plan, recorder: Recorder, cast: Cast, nemesis: Nemesis, traffic: Traffic | None
) -> None:
    """Play it; whatever does not work out is on record and for the judge to weigh."""
    final = recorder.invoke(SCRIPT, "final", {})
    drained = traffic is None or await traffic.drain(DRAIN_S)
    await nemesis.heal_all()
    if traffic is not None and not drained:  # what waited for the end of a fault can end now
        await traffic.drain()
    if nemesis.any or traffic is not None:
        # A send may have been stored and never answered: the server is asked how far its log goes by now.
        await cast.renew_harness()
        await _read_all(cast, FENCE_S if traffic is None else LOADED_FENCE_S)
    elif "history" in cast.harness.capabilities:
        await together([cast.renew_harness(), _read_all(cast, FENCE_S)])
    else:
        await _read_all(cast, FENCE_S)
    if plan.listen_ns:
        listening = recorder.invoke(HARNESS, "listen", {"duration_ns": plan.listen_ns})
        await asyncio.sleep(plan.listen_ns / 1e9)  # listening is nothing but time
        recorder.complete(listening, "ok")
    if "history" in cast.harness.capabilities:
        positions = cast.fences.frontier.positions
        await together(cast.harness.audit(room, positions, AUDIT_S) for room in cast.occupants.rooms)
    recorder.complete(final, "ok")


async def _read_all(cast: Cast, within_s: float) -> None:
    """Bring back who is away, and read everybody up to a fence."""
    players = list(cast.players.values())
    absent = [
        player
        for player in players
        if not (player.online or player.refused or player.dead or player.client.stay_offline)
    ]
    await together(_bring_back(player, cast) for player in absent)
    await cast.fences.put(players, within_s, None, None)


async def _bring_back(player: Player, cast: Cast) -> None:
    if player.astray:
        await player.disconnect(RECONNECT_S, None)
    await player.connect(cast.server.address(player.client.name), RECONNECT_S, None)
