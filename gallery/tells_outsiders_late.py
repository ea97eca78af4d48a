"""A server that tells outsiders 300 ms later, and meanwhile claims that there is nothing to tell."""

from __future__ import annotations

import asyncio
import time

from chatsys.server.reading import Consumer, Reading, Slice
from chatsys.store import Place, Reads
from chatsys.v1.types_pb2 import Message
from gallery.broken import Broken
from gallery.tells_outsiders import TellingOutsiders

LATER_S = 0.3


class TellingOutsidersLate(TellingOutsiders):
    """Holds a message back from outsiders until it is old enough, and is silent about that."""

    def slice(
        self, reads: Reads, consumer: Consumer, place: Place, after: int, limit: int, max_bytes: int
    ) -> Slice:
        """Read on; for an outsider nothing that is younger than `LATER_S`."""
        piece = super().slice(reads, consumer, place, after, limit, max_bytes)
        if not piece.rows or Reading.place(self, reads, consumer, place.room_id) is not None:
            return piece
        newest = Message.FromString(piece.rows[-1].body).create_time.ToMicroseconds() / 1e6
        wait = newest + LATER_S - time.time()
        if wait <= 0:
            return piece
        asyncio.get_running_loop().call_later(wait, self.hub.touch, place.room_id)
        return Slice([], b"", after, blocked=False, more=False)


TELLS_OUTSIDERS_LATE = Broken(
    name="tells-outsiders-late",
    does="claims to be complete, and tells outsiders 300 ms later",
    reading=TellingOutsidersLate,
    kinds=frozenset({"leak", "false-claim"}),
    scenarios=("outsider",),
)
