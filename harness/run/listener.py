"""An address that clients are given in place of the server's: ours, forwarding to its own.

While the server is down, a connection is accepted and reset at once. For a client that is as good as a refusal: an
error at once, and then its own pause before it tries again. Unlike a port that is closed for a while, this one stays
ours: nobody else can be given it, and find our clients knocking. Holding connections until the server is back would
be kinder than any network is.

Network faults are conditions of a listener: they hold for its connections, those that exist and those to come, from
the moment they are imposed until they are lifted. Several add up.

Invariants:
* In fair weather bytes pass unchanged, at once and in order, both ways; what one side cannot take yet stops the other
  from sending.
* A connection belongs to one life of the server: it is closed when either end is, never joined to a later life.
* Connections that were not turned away count from 1 as they came; by these numbers a history names them.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from harness.run.connection import Address, Connection
from harness.run.flow import Weather

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What one fault does to the network of a client."""

    to_server: bool = True
    """Whether it is about what the client says."""
    from_server: bool = True
    """Whether it is about what the client hears."""
    held: bool = False
    latency_s: float = 0.0
    jitter_s: float = 0.0
    rate: float | None = None
    """Bytes a second."""
    refusing: bool = False


class Listener:
    """Forwards connections to wherever the server is. Make one with `open`."""

    def __init__(self, seed: str = "") -> None:
        self.target: Address | None = None
        """Where the server is; None while it is down."""
        self.host, self.port = HOST, 0
        chance = random.Random(seed)
        self.to_server, self.from_server = Weather(chance), Weather(chance)
        self._server: asyncio.Server | None = None
        self._conditions: dict[str, Condition] = {}
        self._connections: set[Connection] = set()
        self._count = 0
        self._ours: set[int] = set()
        """Ports of our own from which we are about to come."""
        self._pings: dict[int, asyncio.Future[bool]] = {}

    @classmethod
    async def open(cls, seed: str = "") -> Listener:
        """Listen on a free port of loopback.

        Args:
            seed: fixes what is random in its weather.
        """
        listener = cls(seed)
        loop = asyncio.get_running_loop()
        # A hundred clients come back at once when the server does.
        server = await loop.create_server(lambda: Connection(listener).client, listener.host, 0, backlog=1024)
        listener._server = server
        listener.port = server.sockets[0].getsockname()[1]
        return listener

    def close(self) -> None:
        """Stop listening, and cut what is connected."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()

    @property
    def refusing(self) -> bool:
        """Whether a fault turns new connections away."""
        return any(condition.refusing for condition in self._conditions.values())

    # -- faults --------------------------------------------------------------------------------------------

    def impose(self, name: str, condition: Condition) -> list[int]:
        """Let a condition hold from now on; return the numbers of the connections that it finds."""
        self._conditions[name] = condition
        self._change()
        return self.numbers(self._connections)

    def lift(self, name: str) -> list[int]:
        """Let a condition hold no more; return the numbers of the connections that lived to see it."""
        if self._conditions.pop(name, None) is not None:
            self._change()
        return self.numbers(self._connections)

    def reset(self) -> list[int]:
        """End all connections by a reset; return their numbers."""
        found = [connection for connection in self._connections if connection.number]
        for connection in found:
            connection.reset()
        return self.numbers(found)

    def half_open(self) -> list[int]:
        """Take the server's end of all connections away, their clients untold; return their numbers."""
        found = [connection for connection in self._connections if connection.number and connection.joined]
        for connection in found:
            connection.forsake()
        return self.numbers(found)

    def tell(self, numbers: Iterable[int]) -> None:
        """Reset those of these connections that are half open still."""
        wanted = set(numbers)
        for connection in list(self._connections):
            if connection.number in wanted and connection.forsaken:
                connection.reset()

    async def ping(self, within_s: float) -> bool:
        """Find out whether a new connection comes through to the server; it is closed at once."""
        loop = asyncio.get_running_loop()
        with socket.socket() as ours:
            ours.setblocking(False)
            ours.bind((self.host, 0))
            port = ours.getsockname()[1]
            through: asyncio.Future[bool] = loop.create_future()
            self._pings[port] = through
            self._ours.add(port)
            try:
                async with asyncio.timeout(within_s):
                    await loop.sock_connect(ours, (self.host, self.port))
                    return await through
            except (TimeoutError, OSError):
                return False
            finally:
                del self._pings[port]

    @staticmethod
    def numbers(connections: Iterable[Connection]) -> list[int]:
        """Return the numbers of connections, in order; those of our own, and those turned away, have none."""
        return sorted(connection.number for connection in connections if connection.number)

    # -- what connections tell -----------------------------------------------------------------------------

    def came(self, connection: Connection, port: int) -> Address | None:
        """A client has come from this port; return where it is to go, None to turn it away."""
        self._connections.add(connection)
        target = None if self.refusing else self.target
        if port in self._ours:
            self._ours.discard(port)
        elif target is not None:
            self._count += 1
            connection.number = self._count
        return target

    def joined(self, port: int, *, through: bool) -> None:
        """What came from this port reached the server, or did not."""
        ping = self._pings.get(port)
        if ping is not None and not ping.done():
            ping.set_result(through)

    def gone(self, connection: Connection) -> None:
        """Both ends of a connection are gone."""
        self._connections.discard(connection)

    def _change(self) -> None:
        for weather, about in ((self.to_server, "to_server"), (self.from_server, "from_server")):
            these = [each for each in self._conditions.values() if getattr(each, about)]
            rates = [each.rate for each in these if each.rate is not None]
            weather.held = any(each.held for each in these)
            weather.latency_s = sum(each.latency_s for each in these)
            weather.jitter_s = sum(each.jitter_s for each in these)
            weather.rate = min(rates, default=None)
        for connection in list(self._connections):
            connection.weather_changed()
