"""Servers that show people what was said when they were no members."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Place, Reads
from gallery.broken import Broken


class NeverEnding(Reading):
    """Goes on showing a room to those who were removed from it."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's places, as if no membership had ended."""
        return [place._replace(end_sequence=0) for place in super().places(reads, consumer)]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return one of them."""
        place = super().place(reads, consumer, room_id)
        return place._replace(end_sequence=0) if place is not None else None


class ShowingAll(Reading):
    """Shows the whole room to those who may see it since their join."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's places, as if everybody had been there from the start."""
        return [place._replace(join_sequence=0) for place in super().places(reads, consumer)]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return one of them."""
        place = super().place(reads, consumer, room_id)
        return place._replace(join_sequence=0) if place is not None else None


LEAKS_AFTER_KICK = Broken(
    name="leaks-after-kick",
    does="goes on delivering to people who were removed",
    reading=NeverEnding,
    kinds=frozenset({"leak"}),
    scenarios=("kick",),
)
LEAKS_HISTORY = Broken(
    name="leaks-history",
    does="shows a member who came back what was said meanwhile",
    reading=ShowingAll,
    # He had been told that nothing up to his return was missing, and no join makes this visible to him.
    kinds=frozenset({"leak", "false-claim"}),
    scenarios=("rejoin",),
)
