"""The proxy program: requests as lines of JSON on standard input, answers and events on standard output.

| op | ok |
|---|---|
| open {clients} | {ports}: where each of these clients is to connect |
| aim {target} | {}: calls go to this host:port from now on; null while the server is down |
| set {trap, what, part, by, of, nth, delay_s} | {} |
| look {trap} | {count, seen}: calls that matched so far, and how often each RPC was called |
| drop {trap} | {fired} or {fired: false, count, seen} |
| goaway {clients} | {ports}: connections that exist were told GOAWAY; new ones are to come here |

Unasked it says `hello` first, as a driver does, and {event: fired, trap, by, of} for each call that was struck. It
ends with its standard input.

A client is known by its port: each has a server object of its own, and that is what can send GOAWAY to one alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grpc import aio

from harness.drivers.pipes import LineReader, LineWriter
from harness.drivers.request import BadRequestError, Request
from harness.proxy.passage import Passage, Way, counts
from harness.proxy.traps import Trap, Traps

HOST: Final = "127.0.0.1"
#: How long calls on a connection that was told to go away may go on, seconds.
GRACE_S: Final = 24 * 3600.0
SERVER_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    # Whether pings come too often is for the real server to say.
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
)


class Proxy:
    """Answers the requests of chatsim. Lives in one event loop."""

    def __init__(self, stdin: int = 0, stdout: int = 1) -> None:
        self._gone = asyncio.Event()
        self._output = LineWriter(stdout, on_gone=self._gone.set)
        self._reader = LineReader(stdin, on_line=self._line, on_long=self._gone.set, on_end=self._gone.set)
        self._traps = Traps()
        self._way = Way()
        self._servers: dict[str, aio.Server] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def serve(self) -> None:
        """Serve until standard input ends."""
        self._say({"event": "hello", "driver": "chatsim's proxy", "protocol": 1, "capabilities": []})
        self._reader.start()
        await self._gone.wait()

    async def answer(self, request: Request) -> Mapping[str, Any]:
        """Do what one request asks for."""
        fields = request.fields
        match request.op:
            case "open":
                return {"ports": {client: await self._open(client) for client in request.texts("clients")}}
            case "aim":
                await self._way.aim(fields.get("target"))
                return {}
            case "set":
                self._traps.set(
                    Trap(
                        id=request.text("trap"),
                        what=request.choice("what", ("lose", "delay", "duplicate")),
                        part=request.choice("part", ("request", "response")),
                        by=None if fields.get("by") is None else frozenset(request.texts("by")),
                        of=fields.get("of"),
                        nth=request.number("nth", 1),
                        delay_s=float(fields.get("delay_s") or 0.0),
                    )
                )
                return {}
            case "look":
                return {"count": self._traps.count(request.text("trap")), "seen": counts(self._traps)}
            case "drop":
                count = self._traps.drop(request.text("trap"))
                if count is None:
                    return {"fired": True}
                return {"fired": False, "count": count, "seen": counts(self._traps)}
            case "goaway":
                return {"ports": {client: await self._go_away(client) for client in request.texts("clients")}}
        raise BadRequestError(f"no op is called `{request.op}`")

    async def _open(self, client: str) -> int:
        server = aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers((Passage(client, self._way, self._traps, self._fired),))
        port = server.add_insecure_port(f"{HOST}:0")
        await server.start()
        self._servers[client] = server
        return port

    async def _go_away(self, client: str) -> int:
        old = self._servers[client]
        port = await self._open(client)
        self._go(old.stop(GRACE_S))
        return port

    def _fired(self, trap: Trap, client: str, method: str) -> None:
        of = method.rpartition("/")[2]
        self._say({"event": "fired", "trap": trap.id, "by": client, "of": of})

    def _line(self, line: bytes) -> None:
        try:
            request = Request.parse(line)
        except BadRequestError as fault:
            self._say({"id": fault.id, "error": fault.to_json()})
            return
        self._go(self._handle(request))

    async def _handle(self, request: Request) -> None:
        try:
            self._say({"id": request.id, "ok": await self.answer(request)})
        except Exception as fault:  # noqa: BLE001 - it must answer; the log has the trace
            traceback.print_exc()
            error = BadRequestError(f"{request.op}: {type(fault).__name__}: {fault}", request.id)
            self._say({"id": request.id, "error": error.to_json()})

    def _go(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _say(self, line: Mapping[str, Any]) -> None:
        self._output.write(json.dumps(line).encode())


async def _serve() -> None:
    await Proxy().serve()


def main(_argv: Sequence[str]) -> int:
    """Serve on file descriptors 0 and 1; return the exit code."""
    asyncio.run(_serve())
    return 0


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # whatever gRPC's threads still do is of no interest to anybody
