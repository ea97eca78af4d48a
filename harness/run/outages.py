"""Network faults, by way of the listeners through which clients connect.

A fault strikes the connections that exist and those to come; the history says which it struck, by their numbers. It
is over on a client when its listener has let go of all it held, and a new connection comes through to the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.faults import SERVER
from harness.model.network import Cut, HalfOpen, NetworkFault, Refuse, Reset, Slow
from harness.run.listener import Condition, Listener
from harness.run.means import UnsureError
from harness.run.network import Network
from harness.verbs.stage import together

#: The pace of knocking at a server that turns us away; nothing tells us when it no longer does.
_PACE_S = 0.02


class Outages:
    """Implements `harness.run.means.Means` for network faults.

    Args:
        network: of the clients.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._half_open: dict[tuple[str, str], list[int]] = {}
        """(fault, client) -> the numbers of its connections."""

    async def begin(self, action: NetworkFault, within_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - as all of its kind
        """Begin it on all targets in one turn of the event loop: no byte comes between."""
        return {
            "connections": {
                name: self._strike(name, self._network.listener(name), action)
                for name in self._clients(action.targets)
            }
        }

    async def end(self, fault: str, targets: Sequence[str], within_s: float) -> Mapping[str, Any]:
        """Let bytes flow as before; done when a connection comes through.

        Raises:
            UnsureError: none came through in time.
        """
        clients = self._clients(targets)
        lived = {}
        for name in clients:
            listener = self._network.listener(name)
            lived[name] = listener.lift(fault)
            listener.tell(self._half_open.pop((fault, name), ()))
        listeners = [self._network.listener(name) for name in clients]
        # While the server is down there is nothing to come through to: its start is what shows that then.
        through = await together(_through(listener, within_s) for listener in listeners)
        stuck = [name for name, did in zip(clients, through, strict=True) if not did]
        if stuck:
            raise UnsureError(f"no connection of {' and '.join(stuck)} came through within {within_s:g} s")
        return {"connections": lived}

    def _clients(self, targets: Sequence[str]) -> Sequence[str]:
        return self._network.clients if SERVER in targets else targets

    def _strike(self, name: str, listener: Listener, action: NetworkFault) -> list[int]:
        match action:
            case Reset():
                return listener.reset()
            case HalfOpen():
                struck = self._half_open[action.id, name] = listener.half_open()
                return struck
            case Cut() | Slow() | Refuse():
                return listener.impose(action.id, condition(action))


def condition(action: Cut | Slow | Refuse) -> Condition:
    """Return what a fault does to the network of each of its targets."""
    if isinstance(action, Refuse):
        return Condition(refusing=True)
    to_server, from_server = action.direction != "from_server", action.direction != "to_server"
    if isinstance(action, Cut):
        return Condition(to_server=to_server, from_server=from_server, held=True)
    return Condition(
        to_server=to_server,
        from_server=from_server,
        latency_s=action.latency_ns / 1e9,
        jitter_s=action.jitter_ns / 1e9,
        rate=action.rate,
    )


async def _through(listener: Listener, within_s: float) -> bool:
    """Wait until a new connection comes through, or nothing of the kind is to be expected."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while listener.target is not None and not listener.refusing:  # else another fault goes on
        if await listener.ping(deadline - loop.time()):
            return True
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_PACE_S)  # between probes: only the next one can tell
    return True
