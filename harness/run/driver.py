"""One driver process and the lines to and from it.

Whatever a driver does, a request ends: with its answer, with `DRIVER_GONE` when the process ended, or with
`DRIVER_SILENT` when nothing came in time. A line that breaks the protocol is kept in `fault`, and ends the run.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness import archive
from harness.keeper.handle import ROW_VARIABLE, Child, Exit, Keeper
from harness.run.lines import Lines
from harness.run.own import OWN_DRIVER
from harness.run.settings import CouldNotRunError

PROTOCOL = 1
#: How much longer than the driver itself chatsim waits for an answer.
GRACE_S = 1.0
#: Generous: a hundred cold starts on two cores take a while, and a dead one is noticed at once.
HELLO_S = 60.0
#: How long after the end of a driver its last lines may take to be read; somebody else may hold its pipe.
LAST_LINES_S = 1.0


#: What reading an answer or an event raises when its fields are not what the protocol says.
GARBLED = (KeyError, TypeError, ValueError, AttributeError)


class Reply(NamedTuple):
    """The answer to one request."""

    ok: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    t: int | None

    @property
    def definite(self) -> bool:
        """Whether an error surely means that nothing happened."""
        return bool(self.error and self.error.get("definite") is True)


class Driver:
    """A driver process that has said hello. Make one with `start`.

    Args:
        child: its process.
        log: where its standard error goes.
        command: how it was started, for people.
        on_event: sees each event line of the driver, in order.
    """

    def __init__(
        self,
        child: Child,
        log: Path,
        command: str,
        on_event: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.child = child
        self.command = command
        self.capabilities: frozenset[str] = frozenset()
        self.title = ""
        """What it calls itself."""
        self.fault: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Settled with a sentence when the driver broke the protocol."""
        self.killed = False
        """Whether we end it by a signal: then it may end in the middle of a line."""
        self.over: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        """Settled when the process has ended and its last line was read."""
        self._read = False
        self._log = log
        self._on_event = on_event
        self._hello: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._count = 0
        self._number = 0
        self._input: asyncio.WriteTransport | None = None
        self._output: asyncio.ReadTransport | None = None
        child.ended.add_done_callback(lambda _: self._child_ended())

    @classmethod
    async def start(
        cls,
        name: str,
        keeper: Keeper,
        command: list[str] | None,
        log: Path,
        row: str,
        on_event: Callable[[Mapping[str, Any]], None],
        environment: Mapping[str, str] | None = None,
        *,
        module: str = OWN_DRIVER,
    ) -> Driver:
        """Start a driver process and wait for its hello.

        Args:
            name: who it plays, for sentences.
            keeper: starts the process.
            command: to exec; None forks the driver for chatsys.
            log: file for its standard error.
            row: mark of the scenario row, so that the keeper can sweep it.
            on_event: sees each event line of the driver, in order.
            environment: variables for it, beside the keeper's own.
            module: what is forked when there is no command.

        Raises:
            CommandError: the command cannot be executed.
            CouldNotRunError: no hello came, or another protocol's.
        """
        loop = asyncio.get_running_loop()
        child, ours_in, ours_out = await keeper.spawn_piped(
            name,
            command=command or (),
            module=module,
            log=log,
            environment={**(environment or {}), ROW_VARIABLE: row},
        )
        driver = cls(child, log, " ".join(command or ["python", "-m", module]), on_event)
        driver._input, _ = await loop.connect_write_pipe(asyncio.Protocol, ours_in)
        driver._output, _ = await loop.connect_read_pipe(
            lambda: Lines(driver._line, driver._broken, driver._all_read), ours_out
        )
        try:
            await driver._greet(name)
        except BaseException:  # also when the run is stopped: nobody has this process yet who could end it
            driver.close()
            await child.signal(signal.SIGKILL)
            raise
        return driver

    @property
    def next_request(self) -> int:
        """The number that the next request will have."""
        return self._count + 1

    async def ask(self, op: str, within_s: float, **fields: Any) -> Reply:
        """Send one request and wait for its answer."""
        self._count += 1
        number = self._count
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        line = json.dumps({"id": number, "op": op, **fields}, ensure_ascii=False)
        if self.child.alive and self._input is not None and not self._input.is_closing():
            self._input.write(f"{line}\n".encode())
        else:
            self._gone()
        await asyncio.wait([answer], timeout=within_s + GRACE_S)
        self._waiting.pop(number, None)
        if not answer.done():
            answer.cancel()
            message = f"the driver did not answer `{op}` within {within_s + GRACE_S:g} s"
            return Reply(
                None, _indefinite("DEADLINE_EXCEEDED", "DRIVER_SILENT", message), time.monotonic_ns()
            )
        data = answer.result()
        t = data.get("t")
        t = t if type(t) is int else time.monotonic_ns()
        error = data.get("error")
        return Reply(data.get("ok") if error is None else None, error, t)

    def last_lines(self, count: int = 5) -> tuple[str, ...]:
        """Return the last lines of its log."""
        return archive.last_lines(self._log, count)

    def close(self) -> None:
        """Close the pipes; for the driver, that is the end of its standard input."""
        if self._input is not None:
            self._input.close()
        if self._output is not None:
            self._output.close()

    async def _greet(self, name: str) -> None:
        awaited: list[asyncio.Future[Any]] = [self._hello, self.fault, self.child.ended]
        done, _ = await asyncio.wait(
            awaited,
            timeout=HELLO_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._hello not in done:
            if self.fault in done:
                sentence = f"{name}: {self.fault.result()}"
            elif done:
                sentence = f"the driver of {name} ended before it said hello"
            else:
                sentence = f"the driver of {name} did not say hello within {HELLO_S:g} s"
            raise self._unusable(name, sentence)
        hello = self._hello.result()
        if hello.get("protocol") != PROTOCOL:
            spoken = hello.get("protocol")
            raise self._unusable(
                name, f"the driver of {name} speaks protocol {spoken!r}; chatsim speaks {PROTOCOL}"
            )
        capabilities = hello.get("capabilities")
        if not isinstance(capabilities, list):
            raise self._unusable(name, f"the hello of {name} has no list of `capabilities`: {capabilities!r}")
        self.capabilities = frozenset(map(str, capabilities))
        self.title = str(hello.get("driver", ""))

    def _unusable(self, name: str, sentence: str) -> CouldNotRunError:
        ended = self.child.ended
        return CouldNotRunError(
            sentence,
            process=name,
            command=self.command,
            ending=str(ended.result()) if ended.done() else "still running",
            last_lines=self.last_lines(),
            help="a driver speaks the protocol of docs/driver-protocol.md on its standard output",
        )

    def _line(self, line: bytes) -> None:
        self._number += 1
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            self._broken(f"is not JSON: {_shown(line)}. A log line belongs on standard error")
            return
        if not isinstance(data, dict):
            self._broken(f"is not an object: {_shown(line)}")
            return
        if "event" in data:
            self._event(data, line)
            return
        number = data.get("id")
        if type(number) is not int or not 0 < number <= self._count:  # `true` is an int, and no id
            self._broken(f"answers a request that was never made: {_shown(line)}")
        elif ("ok" in data) == ("error" in data):
            self._broken(f"has not exactly one of `ok` and `error`: {_shown(line)}")
        elif not isinstance(data.get("ok", data.get("error")), dict):
            self._broken(f"has an `ok` or `error` that is not an object: {_shown(line)}")
        elif (answer := self._waiting.get(number)) is not None and not answer.done():
            answer.set_result(data)
        # An answer to a request that chatsim has given up on is late, not wrong.

    def _event(self, data: Mapping[str, Any], line: bytes) -> None:
        if data["event"] == "hello":
            if self._hello.done():
                self._broken("is a second hello")
            else:
                self._hello.set_result(data)
            return
        try:
            self._on_event(data)
        except GARBLED as fault:
            self._broken(f"lacks or garbles a field ({type(fault).__name__}: {fault}): {_shown(line)}")

    def nonsense(self, op: str, fault: BaseException) -> Reply:
        """Take an answer for a breach of the protocol; return what stands in its place."""
        sentence = f"its answer to `{op}` lacks or garbles a field ({type(fault).__name__}: {fault})"
        if not self.fault.done():
            self.fault.set_result(sentence)
        return Reply(None, _indefinite("UNKNOWN", "DRIVER_GARBLED", sentence), time.monotonic_ns())

    def _broken(self, what: str) -> None:
        if not self.fault.done() and not self.killed:
            self.fault.set_result(f"line {self._number} of the driver {what}")

    def _child_ended(self) -> None:
        self._gone()
        if self._read:
            self._finish()
        else:
            asyncio.get_running_loop().call_later(LAST_LINES_S, self._finish)

    def _all_read(self) -> None:
        self._read = True
        if self.child.ended.done():
            self._finish()

    def _finish(self) -> None:
        if not self.over.done():
            self.over.set_result(self.child.ended.result())

    def _gone(self) -> None:
        ended = self.child.ended
        message = f"the driver ended ({ended.result()})" if ended.done() else "the driver closed its input"
        error = _indefinite("UNAVAILABLE", "DRIVER_GONE", message)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result({"error": error})


def _indefinite(code: str, reason: str, message: str) -> dict[str, Any]:
    return {"code": code, "reason": reason, "message": message, "definite": False}


def _shown(line: bytes) -> str:
    text = line[:120].decode(errors="replace")
    return repr(text) + ("…" if len(line) > 120 else "")
