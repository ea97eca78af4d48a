"""What a driver in Python begins from: the protocol is here, the chat system is in the subclass.

A driver overrides `connect`, `disconnect`, `send` and whatever else its server can do, calls `deliver` for
each message its application would see, and is run by `run`:

    class MyDriver(Driver):
        name = "mine 1.0"
        capabilities = ("stream", "order", "one-room")

        async def connect(self, request): ...
        async def disconnect(self, request): ...
        async def send(self, request): ...

    if __name__ == "__main__":
        sys.exit(run(MyDriver(), sys.argv[1:]))

Invariants:
* `hello` is the first line. Every request is answered once. Nothing else writes to standard output.
* Requests are handled concurrently, and begin in the order in which they came.
* The end of standard input, `bye`, or nobody reading the output: the driver leaves at once.
"""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from harness.drivers.hello import greet
from harness.drivers.pipes import MAX_LINE, LineReader, LineWriter
from harness.drivers.request import BadRequestError, Request, RequestError

#: How long leaving may take, seconds. Whoever told us to go kills us if it takes longer.
LEAVE_WITHIN: Final = 0.1

#: Each op, and the capability without which it is refused.
OPS: Final[Mapping[str, str | None]] = {
    "setup": None,
    "connect": None,
    "disconnect": None,
    "create": "rooms",
    "join": "rooms",
    "leave": "rooms",
    "add": "kick",
    "kick": "kick",
    "send": None,
    "poll": "poll",
    "ack": "ack",
    "fence": None,
    "history": "history",
    "rotate_keys": "keys",
    "bye": None,
}

#: Ops that are answered without a connection.
WITHOUT_CONNECTION: Final = frozenset({"setup", "connect", "bye"})

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

#: Answers one op: the value of `ok`, nothing being {}. Raises RequestError.
Handler = Callable[[Request], Awaitable[Mapping[str, Any] | None]]
#: Room, client message id, sender.
MessageKey = tuple[str, str, str]


class Driver:
    """One client of one chat system. An op that is not overridden answers UNIMPLEMENTED."""

    name: ClassVar[str] = "driver"
    capabilities: Sequence[str] = ()

    def __init__(self) -> None:
        self.client = ""
        """The client this process plays, once set up; so are the following."""
        self.user = ""
        self.display_name = ""
        self.consumer = ""
        self.receive = "stream"
        self.acks = "auto"
        self.sends = "unary"
        self.include_own = False
        self.token: Mapping[str, Any] = {}
        """What is wrong with the token it shows: `kind`, and of a literal one `text`. Empty: nothing."""
        self.window: int | None = None
        """Unacknowledged messages it wants at most; None leaves it to the server."""
        self.handles_per_s: float | None = None
        """The pace at which it hands messages over and acknowledges them; None is no limit."""
        self.role = "client"
        self.cast: Sequence[Mapping[str, Any]] = ()
        self.rooms: Sequence[Mapping[str, Any]] = ()
        self.is_set_up = False
        self.is_connected = False
        """Whether `connect` ended ok and no `disconnect` came since: what needs a connection is refused without."""
        self._delivered: set[MessageKey] = set()
        self._awaited: dict[MessageKey, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._output: LineWriter | None = None
        self._leaving: asyncio.Event | None = None

    # --- for subclasses to override ---

    async def setup(self, request: Request) -> Mapping[str, Any] | None:
        """Learn who to play. The fields are kept by the base class before this is called."""

    def handler(self, op: str) -> Handler | None:
        """Return what answers an op: the method of this name, unless a subclass keeps it elsewhere."""
        handler: Handler | None = getattr(self, op, None)
        return handler

    async def leave_now(self) -> None:
        """Let go of everything; called once, last, and cut off after `LEAVE_WITHIN` seconds."""

    async def fence(self, request: Request) -> Mapping[str, Any] | None:
        """Wait until this client's record is complete; by markers, which works with any ordered server."""
        if "markers" not in request.fields:
            raise RequestError("UNIMPLEMENTED", "NO_POSITIONS", "this driver can fence by `markers` only")
        await self.markers_delivered(request)
        return {}

    # --- for subclasses to call ---

    def deliver(
        self, room: str, message: str, sender: str, text: str, sequence: int | None = None, **via: Any
    ) -> None:
        """Hand one message to the application: its line leaves in this turn of the event loop.

        Args:
            room: room id.
            message: the id it was sent under.
            sender: user id.
            text: its content.
            sequence: its place in the room, when the server says.
            via: `poll` or `request`, the number of what brought it.
        """
        body: dict[str, Any] = {"room": room, "message": message, "sender": sender, "text": text}
        if sequence is not None:
            body["sequence"] = sequence
        self.event("deliver", message=body, **via)
        key = (room, message, sender)
        self._delivered.add(key)
        if self._awaited and (waiter := self._awaited.get(key)) is not None and not waiter.done():
            waiter.set_result(None)

    def event(self, event: str, **fields: Any) -> None:
        """Write one event line."""
        self._write({"event": event, **fields})

    async def flushed(self) -> None:
        """Wait until every line so far has left this process: then an acknowledgement may leave too."""
        assert self._output is not None
        await self._output.flushed()

    def markers(self, request: Request) -> set[MessageKey]:
        """Return the markers of a fence that were not delivered yet."""
        keys: set[MessageKey] = set()
        for room, marker in request.mapping("markers").items():
            if not (
                isinstance(marker, list) and len(marker) == 2 and all(isinstance(x, str) for x in marker)
            ):
                raise BadRequestError("fence: `markers` must be {room: [message id, sender]}", request.id)
            keys.add((room, marker[0], marker[1]))
        return keys - self._delivered

    async def markers_delivered(self, request: Request) -> None:
        """Wait until the markers of a fence were delivered.

        Raises:
            RequestError: they were not in time.
        """
        missing = self.markers(request)
        loop = asyncio.get_running_loop()
        for key in missing:
            self._awaited.setdefault(key, loop.create_future())
        try:
            async with asyncio.timeout(request.within):
                for key in missing:
                    if key not in self._delivered:
                        await asyncio.shield(self._awaited[key])
        except TimeoutError:
            absent = ", ".join(sorted(f"{key[1]} in {key[0]}" for key in missing - self._delivered))
            sentence = f"not delivered within {request.within:g} s: {absent}"
            raise RequestError("DEADLINE_EXCEEDED", "MARKER_MISSING", sentence, definite=False) from None
        finally:
            for key in missing & self._delivered:
                self._awaited.pop(key, None)

    async def cancel_others(self) -> None:
        """End all other requests under way with error CANCELLED: the client goes offline."""
        others = self._tasks - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    # --- the protocol ---

    async def serve(self, stdin: int = 0, stdout: int = 1) -> None:
        """Answer requests until told to leave. `hello` has been written already."""
        self._leaving = asyncio.Event()
        self._output = LineWriter(stdout, on_gone=self._leaving.set)
        reader = LineReader(stdin, on_line=self._line, on_long=self._long_line, on_end=self._leaving.set)
        reader.start()
        await self._leaving.wait()
        reader.stop()
        try:
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._output.flushed()
                await self.leave_now()
        except TimeoutError:
            pass  # What is left ends with the process.

    def _line(self, line: bytes) -> None:
        try:
            request = Request.parse(line)
        except BadRequestError as fault:
            self._answer(fault.id, fault)
            return
        if request.op not in OPS:
            self._answer(request.id, BadRequestError(f"no op is called `{request.op}`"))
            return
        task = asyncio.create_task(self._handle(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _long_line(self) -> None:
        self._answer(None, BadRequestError(f"a request line is at most {MAX_LINE} bytes"))

    async def _handle(self, request: Request) -> None:
        try:
            answer: Mapping[str, Any] | RequestError = await self._dispatch(request) or {}
        except RequestError as fault:
            answer = fault
        except asyncio.CancelledError:
            answer = RequestError(
                "CANCELLED",
                "DISCONNECTED",
                f"{request.op}: the client was disconnected meanwhile",
                definite=False,
            )
        except Exception as fault:  # noqa: BLE001 - a driver must answer; the log has the trace
            traceback.print_exc()
            sentence = f"{request.op}: the driver failed: {type(fault).__name__}: {fault}"
            answer = RequestError("INTERNAL", "DRIVER_BUG", sentence, definite=False)
        self._answer(request.id, answer)
        if request.op == "bye":
            assert self._leaving is not None
            self._leaving.set()

    async def _dispatch(self, request: Request) -> Mapping[str, Any] | None:
        op = request.op
        needed = OPS[op]
        if needed is not None and needed not in self.capabilities:
            raise RequestError("UNIMPLEMENTED", "NO_CAPABILITY", f"{op}: this driver lacks `{needed}`")
        if op == "bye":
            return None
        if op == "setup":
            self._set_up(request)
        elif not self.is_set_up:
            raise RequestError("FAILED_PRECONDITION", "NOT_SET_UP", f"{op}: `setup` comes first")
        method = self.handler(op)
        if method is None:
            raise RequestError("UNIMPLEMENTED", "NOT_IMPLEMENTED", f"{op}: this driver cannot do that")
        if op == "connect":
            if self.is_connected:
                raise RequestError("FAILED_PRECONDITION", "CONNECTED", "connect: the client is connected")
        elif op not in WITHOUT_CONNECTION and not self.is_connected:
            raise RequestError("FAILED_PRECONDITION", "NOT_CONNECTED", f"{op}: the client is not connected")
        if op == "disconnect":
            self.is_connected = False
        answer = await method(request)
        if op == "connect":
            self.is_connected = True
        return answer

    def _set_up(self, request: Request) -> None:
        if self.is_set_up:
            raise RequestError("FAILED_PRECONDITION", "SET_UP_TWICE", "setup: it was done before")
        receive = request.choice("receive", ("stream", "poll", "manual"))
        needed = {"stream": "stream", "poll": "poll", "manual": "poll"}[receive]
        role = request.choice("role", ("client", "harness"))
        if role == "client" and needed not in self.capabilities:
            raise RequestError("UNIMPLEMENTED", "NO_CAPABILITY", f"setup: this driver lacks `{needed}`")
        self.client, self.user = request.text("client", ""), request.text("user")
        self.display_name = request.text("display_name", "")
        self.consumer = request.text("consumer", "")
        self.receive, self.role = receive, role
        self.acks = request.choice("acks", ("auto", "manual"))
        self.sends = request.choice("sends", ("unary", "stream")) if "sends" in request.fields else "unary"
        self.include_own = request.flag("include_own")
        self.token = request.mapping("token") if "token" in request.fields else {}
        self.window = request.number("window") if "window" in request.fields else None
        self.handles_per_s = request.rate("handles_per_s") if "handles_per_s" in request.fields else None
        self.cast, self.rooms = request.fields.get("cast", ()), request.fields.get("rooms", ())
        self.is_set_up = True

    def _answer(self, number: int | None, answer: Mapping[str, Any] | RequestError) -> None:
        if isinstance(answer, RequestError):
            self._write({"id": number, "error": answer.to_json()})
        else:
            self._write({"id": number, "ok": answer})

    def _write(self, line: dict[str, Any]) -> None:
        assert self._output is not None
        line["t"] = time.monotonic_ns()
        self._output.write(_encode(line).encode(errors="replace"))


def run(driver: Driver, argv: Sequence[str]) -> int:
    """Say hello and play one driver on file descriptors 0 and 1; return the exit code.

    Args:
        driver: not yet run.
        argv: see `greet`.
    """
    capabilities = greet(driver.name, driver.capabilities, argv)
    if isinstance(capabilities, int):
        return capabilities
    driver.capabilities = capabilities
    return play(driver)


def play(driver: Driver, stdin: int = 0, stdout: int = 1) -> int:
    """Play a driver that has said hello until it is told to leave; return the exit code."""
    # What asyncio.run adds to this, the handling of signals, costs a forked process 0.4 MiB.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(driver.serve(stdin, stdout))
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=LEAVE_WITHIN))
    except KeyboardInterrupt:
        return 130
    finally:
        loop.close()
    return 0
