"""A *fence* is a moment at which a client had received everything up to something; here is what it vouches for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harness.judge.messages import Message


@dataclass(slots=True, eq=False)
class Fence:
    """One fence (or poll) that ended ok and vouches for what came before it."""

    client: str
    index: int
    grade: str
    """position, marker or window."""
    bound: int = -1
    """By position: what existed before this index is covered."""
    positions: Collection[str] = ()
    """By position: messages with one of these positions are covered."""
    bound_at: int = -1
    """By position: the answer of the write that `bound` comes from."""
    markers: Mapping[str, Message] | None = None
    """By marker: the sentinel of each room that arrived."""
    arrived: Mapping[str, int] | None = None
    """By marker: the op index at which each arrived."""
    step: str | None = None
    invoked: int = -1

    def rests_on(self, message: Message) -> int:
        """Return the op that makes it cover this message, beside itself and the message's own; -1 if none does."""
        if self.grade == "position":
            return (
                -1 if message.position is not None and message.position in self.positions else self.bound_at
            )
        return (self.arrived or {}).get(message.room, -1)

    def covers(self, message: Message, existed_at: int) -> bool:
        """Whether it vouches for this message, which exists from this index on."""
        if self.grade == "position":
            return existed_at < self.bound or (
                message.position is not None and message.position in self.positions
            )
        if self.grade == "marker" and self.markers is not None:
            marker = self.markers.get(message.room)
            return marker is not None and precedes(message, existed_at, marker)
        return self.grade == "window" and existed_at < self.index


def precedes(message: Message, existed_at: int, marker: Message) -> bool:
    """Whether a message stands before a sentinel in the order of their room."""
    if message.sequence is not None and marker.sequence is not None:
        return message.sequence < marker.sequence
    return existed_at < marker.first_invoke
