"""Who has received what so far, and waiting for more of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from harness import matching
from harness.model.history import Op

Pair = tuple[str, str]


class Sightings:
    """A live view of the deliveries in a history, compared by the same rules by which the judge will."""

    def __init__(self) -> None:
        self._got: set[Pair] = set()
        self._certain: set[str] = set()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def watch(self, op: Op) -> None:
        """Take note of one recorded operation."""
        id_ = op.value.get("id")
        if id_ is None or op.type != "ok":
            return
        if op.f == "send":
            self._certain.add(id_)
        elif op.f == "deliver":
            self._got.add((op.client, id_))
            for condition, future in self._waiting:
                if not future.done() and condition():
                    future.set_result(None)

    def missing(self, ids: Sequence[str], clients: Sequence[str]) -> list[Pair]:
        """Return the pairs (client, message id) not seen yet, of messages that surely exist."""
        return matching.unmet(ids, clients, self._got, self._certain.__contains__)

    def seen(self, ids: Sequence[str], clients: Sequence[str]) -> list[Pair]:
        """Return the pairs (client, message id) seen already."""
        return matching.unwanted(ids, clients, self._got)

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
