"""The address that clients are given when the server may come back on another port: ours, forwarding to its own.

While the server is down, a connection is accepted and reset at once. For a client that is as good as a refusal: an
error at once, and then its own pause before it tries again. Unlike a port that is closed for a while, this one stays
ours: nobody else can be given it, and find our clients knocking. Holding connections until the server is back would
be kinder than any network is.

Invariants:
* Bytes pass unchanged and in order, both ways; what one side cannot take yet stops the other from sending.
* A connection belongs to one life of the server: it is closed when either end is, never joined to a later life.
"""

from __future__ import annotations

import asyncio
import socket
import struct

Address = tuple[str, int]

#: Closing with this set sends a reset instead of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Listener:
    """Forwards connections to wherever the server is. Make one with `open`."""

    def __init__(self) -> None:
        self.target: Address | None = None
        """Where the server is; None while it is down."""
        self.host, self.port = "127.0.0.1", 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.Transport] = set()
        self._dialling: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls) -> Listener:
        """Listen on a free port of loopback."""
        listener = cls()
        loop = asyncio.get_running_loop()
        # A hundred clients come back at once when the server does.
        server = await loop.create_server(lambda: _Client(listener), listener.host, 0, backlog=1024)
        listener._server = server
        listener.port = server.sockets[0].getsockname()[1]
        return listener

    def close(self) -> None:
        """Stop listening, and cut what is connected."""
        if self._server is not None:
            self._server.close()
        for dialling in self._dialling:
            dialling.cancel()
        for end in list(self._ends):
            end.abort()

    def opened(self, end: asyncio.Transport) -> None:
        """One end of a connection is there."""
        self._ends.add(end)

    def closed(self, end: asyncio.Transport) -> None:
        """One end of a connection is gone."""
        self._ends.discard(end)

    def dial(self, client: _Client, target: Address) -> None:
        """Connect to the server for a client that has come."""

        async def dial() -> None:
            try:
                await asyncio.get_running_loop().create_connection(lambda: _Upstream(self, client), *target)
            except OSError:
                client.reset()

        task = asyncio.ensure_future(dial())
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)


class _End(asyncio.Protocol):
    """One end of a forwarded connection: what it brings goes to the other end."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the end."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._listener.opened(transport)

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end of one direction on; the other direction may go on."""
        if (
            self.other is not None
            and self.other.transport is not None
            and self.other.transport.can_write_eof()
        ):
            self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """This end takes no more: the other must not read more."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It takes more again."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the other end go the same way."""
        assert self.transport is not None
        self._listener.closed(self.transport)
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            if exc is None and other.transport is not None:
                other.transport.close()
            else:
                other.reset()

    def reset(self) -> None:
        """End it by a reset, whatever is still unsent."""
        if self.transport is None:
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None and connection.fileno() != -1:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class _Client(_End):
    """The end towards a client; it is not read before there is a server to read for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find the server, or turn the client away."""
        super().connection_made(transport)
        target = self._listener.target
        if target is None:
            self.reset()
            return
        assert self.transport is not None
        self.transport.pause_reading()
        self._listener.dial(self, target)


class _Upstream(_End):
    """The end towards the server."""

    def __init__(self, listener: Listener, client: _Client) -> None:
        super().__init__(listener)
        self._client = client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the two."""
        super().connection_made(transport)
        assert self.transport is not None
        end = self._client.transport
        if end is None or end.is_closing():
            self.transport.abort()
            return
        self.other, self._client.other = self._client, self
        end.resume_reading()
