"""A server that acknowledges a message, stores it, and never delivers it."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Page, Place, Row
from chatsys.v1.types_pb2 import Message
from gallery.broken import Broken

SWALLOWED = b"line 3"


class Swallowing(Reading):
    """Leaves one message out, and claims to be complete past it."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select all but the swallowed one."""
        rows = super().select(consumer, place, page)
        return [row for row in rows if Message.FromString(row.body).content != SWALLOWED]


SWALLOWS = Broken(
    name="swallows",
    does="acknowledges and stores `line 3`, and never delivers it",
    reading=Swallowing,
    kinds=frozenset({"undelivered", "gap", "false-claim"}),
    scenarios=("latecomers",),
)
