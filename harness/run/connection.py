"""One connection through a listener: the client's end, the server's end, and a flow each way.

Either end may be gone before the other hears of it: news of an end travels in the flow, behind the bytes before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Protocol

from harness.run.flow import Ending, Flow, Weather

Address = tuple[str, int]

#: Closing with this set sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Gate(Protocol):
    """Where connections come in, as they see it."""

    to_server: Weather
    from_server: Weather

    def came(self, connection: Connection, port: int) -> Address | None:
        """A client has come from this port; return where it is to go, None to turn it away."""
        ...

    def joined(self, port: int, *, through: bool) -> None:
        """What came from this port reached the server, or did not."""
        ...

    def gone(self, connection: Connection) -> None:
        """Both ends of a connection are gone."""
        ...


class Connection:
    """Two ends that belong together, from the moment a client has come.

    Args:
        gate: at which it came in.
    """

    def __init__(self, gate: Gate) -> None:
        self.number = 0
        """Counts the connections of a listener; 0 for one of its own, and one that is turned away."""
        self.forsaken = False
        """Whether the server's end was taken away and the client does not know."""
        self.client = _End(self)
        self.server = _End(self)
        self._gate = gate
        self._port = 0
        self._dialling: asyncio.Task[None] | None = None
        self.client.out = Flow(gate.to_server, self.client, self.server)
        self.server.out = Flow(gate.from_server, self.server, self.client)

    @property
    def joined(self) -> bool:
        """Whether it has come through to the server."""
        return self.server.transport is not None

    def made(self, end: _End) -> None:
        """An end is there: the client's first, then the server's."""
        if end is self.server:
            if self.client.gone:
                self.server.take("reset")
                return
            self._gate.joined(self._port, through=True)
            self.weather_changed()
            return
        assert end.transport is not None
        end.transport.pause_reading()  # until there is a server to read for
        self._port = end.transport.get_extra_info("peername")[1]
        target = self._gate.came(self, self._port)
        if target is None:
            self._turn_away()
        else:
            self._dialling = asyncio.ensure_future(self._dial(target))

    def lost(self, end: _End) -> None:
        """An end is gone."""
        if end is self.client and not self.joined and self._dialling is not None:
            self._dialling.cancel()
        if self.client.gone and (self.server.gone or not self.joined):
            self._gate.gone(self)

    def weather_changed(self) -> None:
        """Let both flows look at the weather."""
        if self.joined:
            for end in (self.client, self.server):
                end.out.weather_changed()

    def reset(self) -> None:
        """End it by a reset, towards both ends."""
        for end in (self.client, self.server):
            end.out.mute()
            end.take("reset")

    def abort(self) -> None:
        """End it at once."""
        if self._dialling is not None:
            self._dialling.cancel()
        for end in (self.client, self.server):
            end.out.mute()
            if end.transport is not None:
                end.transport.abort()

    def forsake(self) -> None:
        """Take the server's end away, and leave the client in the belief that it is there."""
        self.forsaken = True
        for end in (self.client, self.server):
            end.out.mute()
        self.server.take("reset")

    async def _dial(self, target: Address) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, *target)
        except OSError:
            self._turn_away()

    def _turn_away(self) -> None:
        self._gate.joined(self._port, through=False)
        self.client.take("reset")


class _End(asyncio.Protocol):
    """One end; what it brings goes out to the other."""

    out: Flow

    def __init__(self, connection: Connection) -> None:
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._connection = connection

    # -- as asyncio sees it --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be there."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connection.made(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        self.out.feed(data)

    def eof_received(self) -> bool:
        """Pass the end of one direction on; the other direction may go on."""
        self.out.feed("eof")
        return True

    def pause_writing(self) -> None:
        """Take no more for now: the other end must not be read."""
        self._other.out.sink_full(True)

    def resume_writing(self) -> None:
        """Take more again."""
        self._other.out.sink_full(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the other end go the same way."""
        self.gone = True
        self.out.feed("close" if exc is None else "reset")
        self._connection.lost(self)

    # -- as a flow sees it ---------------------------------------------------------------------------------

    def take(self, item: bytes | Ending) -> None:
        """Send bytes, or come to an end."""
        transport = self.transport
        if transport is None or self.gone:
            return
        if isinstance(item, bytes):
            if not transport.is_closing():
                transport.write(item)
        elif item == "eof":
            if transport.can_write_eof() and not transport.is_closing():
                with contextlib.suppress(OSError):  # reset meanwhile, of which we are about to hear
                    transport.write_eof()
        elif item == "close":
            transport.close()
        else:
            connection = transport.get_extra_info("socket")
            if connection is not None and connection.fileno() != -1:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()

    def read(self, go_on: bool) -> None:  # noqa: FBT001 - it is what is asked
        """Go on reading what comes, or leave it where it is."""
        if self.transport is None or self.gone or not self._connection.joined:
            return
        if go_on:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    @property
    def _other(self) -> _End:
        connection = self._connection
        return connection.server if self is connection.client else connection.client
