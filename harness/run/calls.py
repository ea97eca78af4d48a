"""Faults on single calls, by way of a proxy that speaks gRPC; its process is one of the run's.

The proxy stands between each client's listener and the server. It tells when a fault has found its call; then the
fault is over.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.keeper.handle import Exit, Keeper
from harness.model.calls import CallFault, Delay, GoAway
from harness.model.faults import SERVER
from harness.run.connection import Address
from harness.run.driver import Driver
from harness.run.means import NotDoneError
from harness.run.network import Network
from harness.run.own import OWN_PROXY

ANSWER_S = 10.0
LEAVE_S = 1.0

#: Hears of a fault that has struck its call: (fault, {by, of}).
OnFired = Callable[[str, Mapping[str, Any]], None]


class Calls:
    """Implements `harness.run.means.Means` for faults on calls. Begin with `start`, end with `stop`.

    Args:
        network: whose clients are led through the proxy.
    """

    def __init__(self, network: Network) -> None:
        self.on_fired: OnFired = lambda _fault, _value: None
        self.on_broken: Callable[[str, str], None] = lambda _process, _sentence: None
        """Hears of a proxy that ended unasked: (process, sentence)."""
        self._network = network
        self._driver: Driver | None = None
        self._waiting: dict[str, str] = {}
        """Fault -> what it waits for."""

    async def start(self, keeper: Keeper, log: Path, row: str) -> None:
        """Start the proxy, and lead all clients through it.

        Raises:
            CouldNotRunError: it did not start.
        """
        self._driver = await Driver.start("proxy", keeper, None, log, row, self._hear, module=OWN_PROXY)
        self._driver.child.ended.add_done_callback(lambda ended: self._ended(ended.result()))
        self._lead(await self._ask("open", clients=list(self._network.clients)))
        self._network.on_move = self._aim

    async def stop(self) -> None:
        """End the proxy."""
        driver = self._driver
        if driver is None:
            return
        driver.killed = True
        driver.close()  # the end of its standard input
        if await driver.child.wait(LEAVE_S) is None:
            await driver.child.signal(signal.SIGKILL)
            await driver.child.wait(LEAVE_S)

    async def begin(self, action: CallFault, within_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - as all of its kind
        """Set a trap; or send GOAWAY."""
        if isinstance(action, GoAway):
            clients = self._network.clients if SERVER in action.targets else action.targets
            self._lead(await self._ask("goaway", clients=list(clients)))
            return {}
        await self._ask(
            "set",
            trap=action.id,
            what=action.verb,
            part=action.part,
            by=None if SERVER in action.targets else list(action.targets),
            of=action.of,
            nth=action.nth,
            delay_s=action.delay_ns / 1e9 if isinstance(action, Delay) else 0.0,
        )
        calls = f"call {action.nth} of {action.of or 'any RPC'}"
        who = "anybody" if SERVER in action.targets else " or ".join(action.targets)
        self._waiting[action.id] = f"{calls} by {who}"
        return {}

    async def end(self, fault: str, targets: Sequence[str], within_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - as all of its kind
        """Take a trap away that has not found its call."""
        return await self._ask("drop", trap=fault)

    async def waits_for(self, fault: str) -> str:
        """Return what a fault waits for, and how much of it was seen."""
        found = await self._ask("look", trap=fault)
        seen = ", ".join(f"{name} ({count})" for name, count in found["seen"].items()) or "none"
        return f"it waits for {self._waiting[fault]}, and saw {found['count']}; calls so far: {seen}"

    async def _aim(self, target: Address) -> None:
        host, port = target
        await self._ask("aim", target=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")

    def _ended(self, how: Exit) -> None:
        assert self._driver is not None
        if not self._driver.killed:
            self.on_broken("proxy", f"it ended unasked ({how})")

    def _lead(self, answer: Mapping[str, Any]) -> None:
        for client, port in answer["ports"].items():
            self._network.lead(client, ("127.0.0.1", port))

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event["event"] != "fired":
            raise ValueError(f"no event is called {event['event']!r}")
        self.on_fired(event["trap"], {"by": event["by"], "of": event["of"]})

    async def _ask(self, op: str, **fields: Any) -> Mapping[str, Any]:
        assert self._driver is not None
        reply = await self._driver.ask(op, ANSWER_S, **fields)
        if reply.ok is None:
            raise NotDoneError(f"the proxy: {(reply.error or {}).get('message')}")
        return reply.ok
