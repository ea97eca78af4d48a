"""Servers that keep messages from people, or say that they have told more than they have."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Page, Place, Reads, Row
from gallery.broken import Broken
from gallery.shows_wrongly import is_of


class Starving(Reading):
    """Shows chad no room at all."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's rooms; none for chad."""
        return [] if is_of(consumer, "chad") else super().places(reads, consumer)

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return the consumer's place in a room; none for chad."""
        return None if is_of(consumer, "chad") else super().place(reads, consumer, room_id)


class DroppingEverySecond(Reading):
    """Leaves out every second message of a room."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select what has an odd sequence."""
        return [row for row in super().select(consumer, place, page) if row.sequence % 2]


class ClaimingAhead(Reading):
    """Tells everything, and says that it is complete through the entry after it."""

    def through(self, consumer: Consumer, place: Place, through: int) -> int:
        """Claim one more."""
        return super().through(consumer, place, through) + 1


class IncludingAhead(Reading):
    """Tells everything, and names the position after it."""

    def position(self, consumer: Consumer, applied: int) -> int:
        """Name the next position."""
        return super().position(consumer, applied) + 1


class EchoingToOthers(Reading):
    """Leaves out what the sender sent, but on one device only."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select for a second device as for one that wants its user's own messages, too."""
        return super().select(consumer._replace(include_own=bool(consumer.consumer_id)), place, page)


STARVES = Broken(
    name="starves",
    does="shows one member nothing, and answers his fences",
    reading=Starving,
    kinds=frozenset({"undelivered", "false-claim"}),
    scenarios=("basic", "latecomers"),
)
DROPS_EVERY_SECOND = Broken(
    name="drops-every-second",
    does="leaves out every second message",
    reading=DroppingEverySecond,
    kinds=frozenset({"undelivered", "gap", "false-claim"}),
    scenarios=("latecomers", "own/polled"),
)
CLAIMS_AHEAD = Broken(
    name="claims-ahead",
    does="claims to be complete through the entry after the newest",
    reading=ClaimingAhead,
    kinds=frozenset({"undelivered", "gap", "false-claim"}),
    scenarios=("everyone_online",),
)
INCLUDES_AHEAD = Broken(
    name="includes-ahead",
    does="names a position that is still to come",
    reading=IncludingAhead,
    kinds=frozenset({"false-claim"}),
    scenarios=("everyone_online",),
)
ECHOES_TO_SECOND_DEVICE = Broken(
    name="echoes-to-second-device",
    does="delivers a message to its sender's other device",
    reading=EchoingToOthers,
    kinds=frozenset({"echo"}),
    scenarios=("own/two_devices",),
)
