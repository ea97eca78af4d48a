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
        self._sequences: dict[str, tuple[str, int]] = {}
        """Message id -> its room and sequence, as far as the server tells."""
        self._reached: dict[str, dict[str, int]] = {}
        """Client -> room -> the highest sequence received."""
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def watch(self, op: Op) -> None:
        """Take note of one recorded operation."""
        if op.type != "ok" or op.f not in ("send", "deliver"):
            return
        id_ = op.value.get("id")
        self._sequence(op, id_)
        if id_ is None:
            return
        if op.f == "send":
            self._certain.add(id_)
        elif op.f == "deliver":
            self._got.add((op.client, id_))
            for condition, future in self._waiting:
                if not future.done() and condition():
                    future.set_result(None)

    def due(self, client: str) -> dict[str, int]:
        """Return the sequence up to which a client has received each room."""
        return dict(self._reached.get(client, {}))

    def sequence(self, message: str) -> tuple[str, int] | None:
        """Return the room and sequence of a message; None when the server has not told."""
        return self._sequences.get(message)

    def _sequence(self, op: Op, id_: str | None) -> None:
        room, sequence = op.value.get("room"), op.value.get("sequence")
        if not isinstance(room, str) or not isinstance(sequence, int):
            return
        if id_ is not None:
            self._sequences.setdefault(id_, (room, sequence))
        if op.f == "deliver":
            reached = self._reached.setdefault(op.client, {})
            reached[room] = max(sequence, reached.get(room, 0))

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
