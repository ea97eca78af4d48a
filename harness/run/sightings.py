"""Who has received what so far, and waiting for more of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from harness.model.history import Op


class Sightings:
    """A live view of the deliveries in a history."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def watch(self, op: Op) -> None:
        """Take note of one recorded operation."""
        if op.f == "deliver" and op.value.get("id") is not None:
            self._seen.add((op.client, op.value["id"]))
            for condition, future in self._waiting:
                if not future.done() and condition():
                    future.set_result(None)

    def missing(self, ids: Iterable[str], clients: Iterable[str]) -> list[tuple[str, str]]:
        """Return the pairs (client, message id) not seen yet."""
        wanted = list(clients)
        return [(client, id_) for id_ in ids for client in wanted if (client, id_) not in self._seen]

    def seen(self, ids: Iterable[str], clients: Iterable[str]) -> list[tuple[str, str]]:
        """Return the pairs (client, message id) seen already."""
        wanted = list(clients)
        return [(client, id_) for id_ in ids for client in wanted if (client, id_) in self._seen]

    async def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until the condition holds after some delivery; returns whether it came to hold in time."""
        if condition():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = (condition, future)
        self._waiting.append(waiter)
        try:
            await asyncio.wait([future], timeout=timeout_s)
        finally:
            self._waiting.remove(waiter)
        return condition()
