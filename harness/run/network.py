"""The network between the clients of a run and its server: which address each of them is given.

Where a plan troubles the network, each client has a listener of its own, so that a fault can strike one and not
another; the two hands of the harness share one that nothing is ever done to. Where a plan only ends the server, all
share that one. Any driver and any server can be played so: all they see is an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
        self._shared = shared
        self._own = own

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

    def aim(self, target: Address | None) -> None:
        """Take note where the server is; None while it is down."""
        for listener in (self._shared, *self._own.values()):
            listener.target = target

    def close(self) -> None:
        """Stop listening, and cut what is connected."""
        for listener in (self._shared, *self._own.values()):
            listener.close()
