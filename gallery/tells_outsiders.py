"""A server that lets anybody who is connected hear every room."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Place, Reads
from gallery.broken import Broken


class TellingOutsiders(Reading):
    """Shows every room to everybody, as if they had been members from the start."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's rooms and all others."""
        own = super().places(reads, consumer)
        known = {place.room_id for place in own}
        everything = reads._execute("SELECT room_id FROM room ORDER BY room_id").fetchall()
        others = [self.place(reads, consumer, room_id) for (room_id,) in everything if room_id not in known]
        return own + [place for place in others if place is not None]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return the consumer's place in a room, made up when there is none."""
        place = super().place(reads, consumer, room_id)
        found = reads.room(room_id)
        if place is not None or found is None:
            return place
        number, room = found
        return Place(number, room_id, room.history, room.head, 1, 0, 0)


TELLS_OUTSIDERS = Broken(
    name="tells-outsiders",
    does="delivers a room's messages to people who are not in it",
    reading=TellingOutsiders,
    kinds=frozenset({"leak"}),
    scenarios=("outsider", "basic"),
)
