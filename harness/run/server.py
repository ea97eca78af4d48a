"""The life of the system under test: started, ready, stopped or dead, always on record."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from harness import archive
from harness.keeper.handle import ROW_VARIABLE, Child, CommandError, Exit, Keeper
from harness.model.history import SERVER
from harness.run import signals
from harness.run.command import Address, fill, uses
from harness.run.lines import Lines
from harness.run.network import Network
from harness.run.ports import Port, claim
from harness.run.recorder import Recorder
from harness.run.settings import CouldNotRunError, Settings
from harness.run.stock import Stock

STOP_S = 5.0
#: A server that has said nothing for so long, and accepts no TCP connection, is asked through its driver.
KNOCK_AFTER_S = 1.0
KNOCK_S = 0.5
#: Pace of trying whether something accepts a connection, seconds.
PROBE_AGAIN_S = 0.02


class Server:
    """The server of one run.

    Args:
        settings: which server.
        keeper: starts its process.
        recorder: told of its start and end.
        data: its data directory; made on first start.
        log: file for its output.
        row: mark of the scenario row.
        tokens: clients show tokens, some of which are no good: our own server is to look at them.
        options: settings of the server, by name, which the scenario gives.
        network: the addresses that clients get, when the server may change its own, or the network fails.
        piped: its standard error is to come through a pipe, because it may be unable to write to files.
    """

    def __init__(
        self,
        settings: Settings,
        keeper: Keeper,
        recorder: Recorder,
        *,
        data: Path,
        log: Path,
        row: str,
        tokens: bool = False,
        options: Mapping[str, str] | None = None,
        network: Network | None = None,
        piped: bool = False,
    ) -> None:
        self.died: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        """Settled when the server ends unasked."""
        self.words: Mapping[str, str] = {}
        """What its command may be told of the cast."""
        self.knock: Callable[[Mapping[str, Any], float], Awaitable[bool]] | None = None
        """Asks a driver whether a server answers at an address: the last resort of those who wait for one."""
        self.on_spawn: Callable[[], None] = lambda: None
        """Called when its process has been started."""
        self._settings = settings
        self._keeper = keeper
        self._recorder = recorder
        self.data = data
        self._log = log
        self._row = row
        self._tokens = tokens
        self._options = options or {}
        self._network = network
        self._piped = piped
        self._address: dict[str, Any] = {}
        self._child: Child | None = None
        self._frozen = False
        self._stock = Stock(recorder, lambda: self.pid, tolerated=settings.tolerates_leaks)
        self._asked = False
        self._unwilling = False
        """It was told to end, and somebody has waited for that in vain."""
        self._ready: asyncio.Future[Mapping[str, Any]] | None = None
        self._output: asyncio.ReadTransport | None = None
        self._port: Port | None = None

    async def start(self) -> None:
        """Start the server on its data directory and wait until it is ready; also after it was ended.

        Raises:
            CouldNotRunError: it cannot be executed, ended, or was not ready in time.
        """
        if (address := self._settings.address) is not None:
            await self._use(address)
            return
        self.data.mkdir(parents=True, exist_ok=True)
        port = self._claim() if self._wants_port() else 0
        command = self._command(port)
        shown = shlex.join(command or ["chatsys", "serve", *self._own_arguments()])
        started = self._recorder.invoke(SERVER, "start", {"command": shown})
        try:
            child = await self._spawn(command)
        except CommandError as fault:
            self._recorder.complete(started, "fail", error=_error("NOT_FOUND", str(fault)))
            raise CouldNotRunError(
                f"the server could not be started: {fault}",
                process=SERVER,
                command=shown,
                help="the server command is split as a shell splits words; give the program's path",
            ) from fault
        try:
            ready = await self._until_ready(child, port)
        except CouldNotRunError as fault:
            fault.command = shown
            self._recorder.complete(started, "fail", error=_error("UNAVAILABLE", fault.sentence))
            raise
        self._recorder.complete(started, "ok", {"pid": child.pid, **ready})
        self._stock.when_ready()
        self._address = {**ready, "data": str(self.data)}
        if self._network is not None:
            await self._network.move((ready["host"], ready["port"]))

    def address(self, client: str) -> dict[str, Any]:
        """Return what the driver of a client is given to connect: host, port, and who the server says it is."""
        if self._network is None:
            return self._address
        listener = self._network.listener(client)
        told = {**self._address, "host": listener.host, "port": listener.port}
        # A later life of the server has another instance, and a client may be on its way to this one still.
        told.pop("instance", None)
        return told

    @property
    def pid(self) -> int | None:
        """Its process, while it lives."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @property
    def down(self) -> bool:
        """Whether it was ended as asked, and not started since."""
        return self._asked and self._child is not None and not self._child.alive

    @property
    def frozen(self) -> bool:
        """Whether it stands still as asked."""
        return self._frozen

    async def kill(self, number: int, within_s: float) -> bool:
        """End it by a signal; returns whether it has ended."""
        assert self._child is not None
        self._asked = True
        self._unwilling = not await signals.end(self._child, number, within_s)
        if self._unwilling:
            return False
        self._frozen = False
        return True

    async def seen_off(self, within_s: float) -> None:
        """Wait until it has ended, if it is about to: if whoever told it to end did not stay to see it."""
        if self._asked and not self._unwilling and self._child is not None and self._child.alive:
            await self._child.wait(within_s)

    async def quit(self, within_s: float) -> bool:
        """Tell it to end in good order; returns whether it has."""
        if self._frozen:  # it could not hear it
            await self.thaw(within_s)
        return await self.kill(signal.SIGTERM, within_s)

    async def freeze(self, within_s: float) -> bool:
        """Stop it; returns whether it stands still."""
        assert self._child is not None
        self._frozen = True
        return await signals.freeze(self._child, within_s)

    async def thaw(self, within_s: float) -> bool:
        """Let it go on; returns whether it does."""
        assert self._child is not None
        self._frozen = False
        return await signals.thaw(self._child, within_s)

    async def take_stock(self) -> None:
        """Put on record what it holds when all clients have left, once it has had time to let go of them."""
        if not self._frozen:
            await self._stock.at_end()

    async def _use(self, address: Address) -> None:
        """See that the running server is there, which nobody starts or stops."""
        begun = self._recorder.invoke(SERVER, "start", {"address": str(address)})
        try:
            async with asyncio.timeout(self._settings.ready_within_s):
                await _accepts(address.host, address.port)
        except TimeoutError:
            sentence = f"no server accepts a connection at {address}"
            self._recorder.complete(begun, "fail", error=_error("UNAVAILABLE", sentence))
            raise CouldNotRunError(
                sentence, help="start it first, or give its command instead of its address"
            ) from None
        self._address = {"host": address.host, "port": address.port}
        if self._network is not None:
            await self._network.move((address.host, address.port))
        self._recorder.complete(begun, "ok", self._address)

    async def stop(self) -> None:
        """Ask it to end with SIGTERM, and end it with SIGKILL if it does not."""
        if self._child is not None:
            await self._end(self._child)
        if self._port is not None:
            self._port.close()

    async def _end(self, child: Child) -> None:
        self._asked = True
        if self._frozen:
            await self.thaw(STOP_S)
        if child.alive:
            await child.signal(signal.SIGTERM)
            if await child.wait(STOP_S) is None:
                await child.signal(signal.SIGKILL)
                await child.wait(STOP_S)
        if self._output is not None:
            self._output.close()

    def last_lines(self, count: int = 5) -> tuple[str, ...]:
        """Return the last lines of its log."""
        return archive.last_lines(self._log, count)

    def _wants_port(self) -> bool:
        return uses(self._settings.server, "port")

    def _claim(self) -> int:
        """Return a port for its next life, which no other server is told."""
        if self._port is not None:
            self._port.close()
        self._port = claim()
        return self._port.number

    def _own_arguments(self) -> list[str]:
        own, auth = self._settings.server_words, "tokens" if self._tokens else "none"
        given = [f"--{name.replace('_', '-')}={text}" for name, text in self._options.items()]
        return [*own, "--port", "0", "--host", "127.0.0.1", "--data", str(self.data), "--auth", auth, *given]

    def _command(self, port: int) -> list[str] | None:
        if self._settings.server is None:
            return None
        own = {
            "port": str(port),
            "host": "127.0.0.1",
            "data": str(self.data),
            "options": json.dumps(dict(self._options)),
        }
        return fill(self._settings.server, {**self.words, **own})

    async def _spawn(self, command: list[str] | None) -> Child:
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            reading, writing = os.pipe()
            ours.callback(os.close, reading)
            theirs.callback(os.close, writing)
            null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            theirs.callback(os.close, null)
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            theirs.callback(os.close, log)
            child = await self._keeper.spawn(
                SERVER,
                command=command or (),
                module=self._settings.server_module,
                arguments=self._own_arguments(),
                stdio=(null, writing, writing if self._piped else log),
                environment={ROW_VARIABLE: self._row},
            )
            ours.pop_all()  # it is ours to keep from here on; until then nobody else would close it
        if self._output is not None:
            self._output.close()
        self._child = child
        self.on_spawn()
        self._asked = self._unwilling = False
        child.ended.add_done_callback(lambda ended: self._ended(child, ended.result()))
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._output, _ = await loop.connect_read_pipe(
            lambda: Lines(self._said, lambda _: None), os.fdopen(reading, "rb", 0)
        )
        return child

    async def _until_ready(self, child: Child, port: int) -> dict[str, Any]:
        assert self._ready is not None
        waiting: list[asyncio.Future[Any]] = [self._ready, child.ended]
        if port:  # a server that says nothing is ready when it accepts a connection
            waiting.append(asyncio.ensure_future(_accepts("127.0.0.1", port)))
        deadline = self._settings.ready_within_s
        try:
            knocked = await self._first_of(waiting, {"host": "127.0.0.1", "port": port}, deadline)
        finally:
            for probe in waiting[2:]:
                probe.cancel()
        if self._ready.done():
            said = self._ready.result()
            address = {"host": said.get("host", "127.0.0.1"), "port": said["port"]}
            if "instance_id" in said:
                address["instance"] = said["instance_id"]
            if said.get("run_id"):
                address["run"] = said["run_id"]
            return address
        if child.ended.done():
            raise CouldNotRunError(
                f"the server ended before it was ready ({child.ended.result()})",
                process=SERVER,
                ending=str(child.ended.result()),
                last_lines=self.last_lines(),
                help="run the command by hand to see more",
            )
        if knocked or (port and waiting[2].done() and not waiting[2].cancelled()):
            return {"host": "127.0.0.1", "port": port}
        raise CouldNotRunError(
            f"the server was not ready within {deadline:g} s",
            process=SERVER,
            ending="still running",
            last_lines=self.last_lines(),
            help='a server is ready when it prints {"event": "ready", "port": N} on its standard output, '
            "or accepts a connection on the {port} of its command, or lets a driver connect",
        )

    async def _first_of(
        self, signs: list[asyncio.Future[Any]], address: Mapping[str, Any], deadline_s: float
    ) -> bool:
        """Wait for a sign of life; return whether it is a driver that was let in, or turned away."""
        end = asyncio.get_running_loop().time() + deadline_s
        patience = deadline_s if self.knock is None else min(KNOCK_AFTER_S, deadline_s)
        await asyncio.wait(signs, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        while not any(sign.done() for sign in signs):
            left = end - asyncio.get_running_loop().time()
            if self.knock is None or left <= 0:
                return False
            if await self.knock(address, min(KNOCK_S, left)):
                return True
            pace = min(KNOCK_S, max(0.0, left))
            await asyncio.wait(signs, timeout=pace, return_when=asyncio.FIRST_COMPLETED)
        return False

    def _said(self, line: bytes) -> None:
        with self._log.open("ab") as log:
            log.write(line + b"\n")
        if self._ready is None or self._ready.done():
            return
        try:
            data = json.loads(line)
        except ValueError:
            return
        if isinstance(data, dict) and data.get("event") == "ready" and isinstance(data.get("port"), int):
            self._ready.set_result(data)

    def _ended(self, child: Child, how: Exit) -> None:
        if self._network is not None:
            self._network.aim(None)
        value = {"pid": child.pid, "code": how.code, "signal": how.signal, "asked": self._asked}
        self._recorder.note(SERVER, "exit", value)
        if not self._asked and not self.died.done():
            self.died.set_result(how)


async def _accepts(host: str, port: int) -> None:
    """Return when something accepts a TCP connection there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(PROBE_AGAIN_S)  # nothing tells us when a stranger starts to listen
        else:
            writer.close()
            return


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "reason": "SERVER", "message": message, "definite": True}
