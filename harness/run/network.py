"""The network between the clients of a run and its server: which address each of them is given.

Where a plan troubles the network, each client has a listener of its own, so that a fault can strike one and not
another; the two hands of the harness share one that nothing is ever done to. Where a plan only ends the server, all
share that one. Any driver and any server can be played so: all they see is an address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from harness.run.connection import Address
from harness.run.listener import Listener


class Network:
    """The listeners of one run. Make one with `open`.

    Args:
        shared: what everybody uses who has none of their own.
        own: listeners by client.
    """

    def __init__(self, shared: Listener, own: Mapping[str, Listener]) -> None:
        self.clients = tuple(own)
        """Those to whom something can be done."""
        self.on_move: Callable[[Address], Awaitable[None]] | None = None
        """Whoever stands between here and the server learns first where the server is."""
        self._shared = shared
        self._own = own
        self._led: dict[str, Address] = {}
        self._target: Address | None = None

    @classmethod
    async def open(cls, clients: Iterable[str] = (), seed: int = 0) -> Network:
        """Listen for everybody.

        Args:
            clients: those who are to have an address of their own.
            seed: fixes what is random in the weather.
        """
        own = {name: await Listener.open(f"{seed}:{name}") for name in clients}
        return cls(await Listener.open(), own)

    def listener(self, client: str) -> Listener:
        """Return the listener through which a client, or a hand of the harness, connects."""
        return self._own.get(client, self._shared)

    def lead(self, client: str, way: Address) -> None:
        """Lead this client's connections elsewhere than to the server itself, while there is one."""
        self._led[client] = way
        self.aim(self._target)

    async def move(self, target: Address) -> None:
        """Take note where the server is."""
        if self.on_move is not None:
            await self.on_move(target)
        self.aim(target)

    def aim(self, target: Address | None) -> None:
        """As `move`, with nobody in between; None while the server is down."""
        self._target = self._shared.target = target
        for client, listener in self._own.items():
            listener.target = None if target is None else self._led.get(client, target)

    def close(self) -> None:
        """Stop listening, and cut what is connected."""
        for listener in (self._shared, *self._own.values()):
            listener.close()
