"""The process that plays one client, over its incarnations: started and set up, frozen, ended; always on record."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from harness.keeper.handle import Exit
from harness.model.cast import Client
from harness.model.history import HARNESS
from harness.run import signals
from harness.run.driver import Driver
from harness.run.recorder import Recorder
from harness.run.settings import CouldNotRunError

#: How long a driver may take over `setup` and `bye`, seconds.
SETUP_S = 5.0
BYE_S = 1.0

Listener = Callable[[Mapping[str, Any]], None]
Spawn = Callable[[str, Listener], Awaitable[Driver]]


class Life:
    """What becomes of one client's process.

    Args:
        client: whom it plays.
        setup: makes the fields of its `setup` request, of what its driver can do.
        recorder: told of every birth and every death.
        spawn: starts a driver: (process name, event listener) -> Driver.
        on_fault: hears of a driver that broke the protocol: (process, sentence).
    """

    def __init__(
        self,
        client: Client,
        setup: Callable[[frozenset[str]], Mapping[str, Any]],
        recorder: Recorder,
        *,
        spawn: Spawn,
        on_fault: Callable[[str, str], None],
    ) -> None:
        self.client = client
        self._setup = setup
        self._recorder = recorder
        self._spawn = spawn
        self._on_fault = on_fault
        self._driver: Driver | None = None
        self._incarnation = 0
        self._leaving = False
        self._killed = False
        self._frozen = False

    @property
    def process(self) -> str:
        """Its name in the history: `bob`, or `bob#2` for a later incarnation; of `harness` there is one."""
        name = self.client.name
        return name if self._incarnation < 2 or name == HARNESS else f"{name}#{self._incarnation}"

    @property
    def capabilities(self) -> frozenset[str]:
        """What its driver can do; empty while there is none."""
        return self._driver.capabilities if self._driver else frozenset()

    @property
    def dead(self) -> bool:
        """Whether its process was started and has ended unasked."""
        return self._driver is not None and not self._driver.child.alive and not self._killed

    @property
    def killed(self) -> bool:
        """Whether its process was ended as asked, and no other was started since."""
        return self._killed

    @property
    def frozen(self) -> bool:
        """Whether its process stands still as asked."""
        return self._frozen

    async def start(self) -> None:
        """Start its process and set it up, if it has none.

        Raises:
            CouldNotRunError: the driver is unusable, or refuses to be set up.
            CommandError: the driver command cannot be executed.
        """
        if self._driver is not None and not self._killed:
            return
        if self._driver is not None:
            self._driver.close()
        self._incarnation += 1
        self._leaving = self._killed = False
        self.born()
        driver = await self._spawn(self.process, self.hear)
        self._driver = driver
        value = {
            "pid": driver.child.pid,
            "incarnation": self._incarnation,
            "driver": driver.title,
            "capabilities": sorted(driver.capabilities),
        }
        self._recorder.note(self.process, "spawn", value)
        driver.fault.add_done_callback(lambda fault: self._on_fault(self.process, fault.result()))
        driver.over.add_done_callback(lambda over: self._ended(driver, over.result()))
        reply = await driver.ask("setup", SETUP_S, **self._setup(driver.capabilities))
        if reply.ok is None:
            error = reply.error or {}
            raise CouldNotRunError(
                f"the driver of {self.process} refused its part: {error.get('message') or error.get('code')}",
                process=self.process,
                command=driver.command,
                ending=str(driver.child.ended.result()) if driver.child.ended.done() else "still running",
                last_lines=driver.last_lines(),
                help="what `setup` asks for stands in docs/driver-protocol.md; see also what it can, in its hello",
            )

    async def kill(self, number: int, within_s: float) -> bool:
        """End its process by a signal; returns whether it has ended, its last line on record."""
        driver = self._driver
        if driver is None:
            return True
        self._leaving = driver.killed = True
        if not await signals.end(driver.child, number, within_s):
            return False
        await asyncio.wait([driver.over])
        self._killed, self._frozen = True, False
        return True

    async def quit(self, within_s: float) -> bool:
        """Tell its process to go, as `kill` else."""
        driver = self._driver
        if driver is None:
            return True
        self._leaving = True
        if self._frozen:  # it could not hear it
            await self.thaw(within_s)
        farewell = asyncio.ensure_future(driver.ask("bye", within_s))
        try:
            if await driver.child.wait(within_s) is None:
                return False
        finally:
            farewell.cancel()
        await asyncio.wait([driver.over])
        self._killed, self._frozen = True, False
        return True

    async def freeze(self, within_s: float) -> bool:
        """Stop its process; returns whether it stands still."""
        assert self._driver is not None
        self._frozen = True
        return await signals.freeze(self._driver.child, within_s)

    async def thaw(self, within_s: float) -> bool:
        """Let its process go on; returns whether it does."""
        assert self._driver is not None
        self._frozen = False
        return await signals.thaw(self._driver.child, within_s)

    async def leave(self) -> None:
        """Tell the process to go, and end it when it does not."""
        driver = self._driver
        if driver is None:
            return
        self._leaving = True
        if self._frozen:
            await self.thaw(BYE_S)
        if driver.child.alive:
            farewell = asyncio.ensure_future(driver.ask("bye", 0.0))
            if await driver.child.wait(BYE_S) is None:
                driver.killed = True
                await driver.child.signal(signal.SIGKILL)
                await driver.child.wait(BYE_S)
            farewell.cancel()
        if driver.child.ended.done():
            await asyncio.wait([driver.over])
        driver.close()

    def last_lines(self, count: int = 5) -> tuple[str, ...]:
        """Return the last lines of its log."""
        return self._driver.last_lines(count) if self._driver else ()

    # -- what whoever plays the client makes of it ---------------------------------------------------------------

    def born(self) -> None:
        """Another incarnation begins: what was known of the one before says nothing of it."""

    def hear(self, event: Mapping[str, Any]) -> None:
        """Hear what the driver tells unasked; raises one of `driver.GARBLED` at nonsense."""

    def gone(self) -> None:
        """The process has ended, and all that it said was heard."""

    def _ended(self, driver: Driver, how: Exit) -> None:
        self.gone()
        value = {"pid": driver.child.pid, "code": how.code, "signal": how.signal, "asked": self._leaving}
        self._recorder.note(self.process, "exit", value)
