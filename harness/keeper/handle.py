"""chatsim's side of the keeper: start it, have it start processes, hear of their ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from harness.keeper import PACKET
from harness.keeper.launch import Launched

#: Environment variable that every process of one scenario row carries.
ROW_VARIABLE = "CHATSIM_ROW"


class KeeperError(Exception):
    """The keeper did not start, or ended under us; the text says what it left on its standard error."""


class CommandError(Exception):
    """A command could not be executed; the text names it and the system's reason."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: exactly one of the two is not None."""

    code: int | None
    signal: int | None

    def __str__(self) -> str:
        if self.signal is None:
            return f"exit {self.code}"
        try:
            return f"killed by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"killed by signal {self.signal}"


class Child:
    """One process that the keeper started for us."""

    def __init__(self, keeper: Keeper, name: str, pid: int) -> None:
        self._keeper = keeper
        self.name = name
        self.pid = pid
        self.ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        """Whether its end has not been reported yet."""
        return not self.ended.done()

    async def signal(self, number: int) -> bool:
        """Signal its process group; returns whether it was still there."""
        return bool((await self._keeper.ask("signal", pid=self.pid, signal=number))["found"])

    async def wait(self, timeout_s: float) -> Exit | None:
        """Wait for its end, at most this long; None when it still lives."""
        await asyncio.wait([self.ended], timeout=timeout_s)
        return self.ended.result() if self.ended.done() else None


class Keeper:
    """A running keeper. Begin with `await attach()`, end with `await close()`.

    Args:
        launched: what `launch` returned.
    """

    def __init__(self, launched: Launched) -> None:
        self.run = launched.run
        self.scratch = Path()
        """Directory for everything that must not outlive the invocation; the keeper removes it."""
        self.subreaper = False
        self._launched = launched
        self._channel = launched.channel
        self._ended: tuple[int, str] | None = None
        self._answers: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._children: dict[int, Child] = {}
        self._early: dict[int, Exit] = {}
        self._count = 0
        self._ready: asyncio.Future[None] | None = None

    async def attach(self, deadline_s: float = 30.0) -> None:
        """Wait until the keeper is ready, and listen to it from now on.

        Raises:
            KeeperError: it ended, or is not ready within the deadline.
        """
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._channel.setblocking(False)
        loop.add_reader(self._channel.fileno(), self._receive)
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), deadline_s)
        except TimeoutError:
            raise KeeperError(
                f"the keeper (pid {self._launched.pid}) was not ready within {deadline_s} s"
            ) from None

    async def ask(self, do: str, fds: Sequence[int] = (), **fields: Any) -> Mapping[str, Any]:
        """Send one request and return its answer."""
        self._count += 1
        number = self._count
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        packet = json.dumps({"id": number, "do": do, **fields}).encode()
        while True:
            try:
                socket.send_fds(self._channel, [packet], list(fds))
                break
            except BlockingIOError:
                await self._writable()
            except OSError as fault:
                raise self._gone() from fault
        return await answer

    async def spawn(
        self,
        name: str,
        *,
        command: Sequence[str] = (),
        module: str = "",
        arguments: Sequence[str] = (),
        stdio: Sequence[int],
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a process: exec `command`, or fork the preloaded Python entry `module.main(arguments)`.

        Raises:
            CommandError: the command does not exist or cannot be executed, or the system gives no more processes.
        """
        what: dict[str, Any] = (
            {"argv": list(command)} if command else {"module": module, "args": list(arguments)}
        )
        asking = asyncio.ensure_future(self.ask("spawn", stdio, env=dict(environment or {}), **what))
        try:
            answer = await asyncio.shield(asking)
        except asyncio.CancelledError:
            # The keeper does it all the same: nobody would know of this process.
            answer = await asking
            if "pid" in answer:
                await self.ask("signal", pid=answer["pid"], signal=signal.SIGKILL)
            raise
        if "error" in answer:
            raise CommandError(f"{command[0] if command else module}: {answer['error']}")
        child = Child(self, name, int(answer["pid"]))
        self._children[child.pid] = child
        if early := self._early.pop(child.pid, None):
            child.ended.set_result(early)
        return child

    async def spawn_piped(
        self,
        name: str,
        *,
        command: Sequence[str] = (),
        module: str = "",
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[Child, IO[bytes], IO[bytes]]:
        """Start a process that we talk to; return it, the end that we write to, and the one that we read.

        Args:
            name: see `spawn`.
            command: see `spawn`.
            module: see `spawn`.
            log: the file for its standard error, appended to.
            environment: see `spawn`.

        Raises:
            CommandError: the command does not exist or cannot be executed.
        """
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            theirs_in, ours_in = os.pipe()
            theirs.callback(os.close, theirs_in)
            ours.callback(os.close, ours_in)
            ours_out, theirs_out = os.pipe()
            ours.callback(os.close, ours_out)
            theirs.callback(os.close, theirs_out)
            errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            theirs.callback(os.close, errors)
            child = await self.spawn(
                name,
                command=command,
                module=module,
                stdio=(theirs_in, theirs_out, errors),
                environment=environment,
            )
            ours.pop_all()  # they are the caller's from here on; until then nobody else would close them
        return child, os.fdopen(ours_in, "wb", 0), os.fdopen(ours_out, "rb", 0)

    async def sweep(self, row: str) -> list[tuple[int, str]]:
        """Kill what a row left behind; return (pid, command) of each."""
        answer = await self.ask("sweep", mark=f"{ROW_VARIABLE}={row}")
        return [(pid, command) for pid, command in answer["killed"]]

    async def close(self) -> list[tuple[int, str]]:
        """End everything; return (pid, command) of what was still alive. Safe to call again."""
        killed: list[tuple[int, str]] = []
        if self._channel.fileno() != -1:
            try:
                answer = await asyncio.wait_for(self.ask("close"), 10)
                killed = [(pid, command) for pid, command in answer["killed"]]
            except (KeeperError, TimeoutError):
                pass  # closing the socket has the same effect
            self.abandon()
        return killed

    def abandon(self) -> None:
        """Close the socket, upon which the keeper cleans up, and wait for its end. Needs no event loop."""
        if self._ready is not None and self._channel.fileno() != -1:
            self._ready.get_loop().remove_reader(self._channel.fileno())
        if self._ended is None:
            self._ended = self._launched.abandon()

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._channel.fileno(), _settle, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._channel.fileno())

    def _receive(self) -> None:
        while True:
            try:
                packet = self._channel.recv(PACKET)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._lost()
                return
            self._handle(json.loads(packet))

    def _handle(self, message: Mapping[str, Any]) -> None:
        if "exit" in message:
            exit_ = Exit(message["code"], message["signal"])
            child = self._children.pop(message["exit"], None)
            if child is None:  # it ended before the answer to its own spawn was read
                self._early[message["exit"]] = exit_
            elif not child.ended.done():
                child.ended.set_result(exit_)
        elif message.get("ready"):
            self.scratch = Path(message["scratch"])
            self.subreaper = message["subreaper"]
            if self._ready is not None:
                _settle(self._ready)
        else:
            waiting = self._answers.pop(message["id"])
            if not waiting.done():
                waiting.set_result(message)

    def _lost(self) -> None:
        if self._ready is None:
            return
        self._ready.get_loop().remove_reader(self._channel.fileno())
        gone = self._gone()
        unsettled: list[asyncio.Future[Any]] = [self._ready, *self._answers.values()]
        for waiting in unsettled:
            if not waiting.done():
                waiting.set_exception(gone)
        self._answers.clear()

    def _gone(self) -> KeeperError:
        if self._ended is None:
            self._ended = self._launched.abandon()
        code, last = self._ended
        return KeeperError(f"the keeper (pid {self._launched.pid}) ended ({code}): {last}".rstrip(": "))


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
