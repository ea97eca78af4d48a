"""Servers that deliver what nobody sent: other texts, other senders, other rooms, messages of their own."""

from __future__ import annotations

from chatsys.server.hub import Hub
from chatsys.server.reading import Consumer, Reading
from chatsys.store import Page, Place, Row
from chatsys.v1.types_pb2 import Message
from gallery.broken import Broken
from gallery.shows_wrongly import altered, is_of


class Altering(Reading):
    """Changes each text."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, and change one letter."""
        rows = super().select(consumer, place, page)
        return [altered(row, content=Message.FromString(row.body).content[:-1] + b"?") for row in rows]


class Truncating(Reading):
    """Cuts each text off."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, and leave the first three bytes."""
        rows = super().select(consumer, place, page)
        return [altered(row, content=Message.FromString(row.body).content[:3]) for row in rows]


class Inventing(Reading):
    """Adds a message that nobody sent to what it shows chad."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, with a copy of the newest under an id that nobody gave."""
        rows = super().select(consumer, place, page)
        if rows and is_of(consumer, "chad"):
            rows = [*rows, altered(rows[-1], client_message_id="invented", sequence=rows[-1].sequence + 1)]
        return rows


class MixingUp(Reading):
    """Takes two people for one another who have the same name."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, and name the other Luis as the sender."""
        return [altered(row, sender_id=_other(row.actor_id)) for row in super().select(consumer, place, page)]


def _other(user: str) -> str:
    if user.startswith("luis-"):
        number, rest = user[5], user[6:]
        return f"luis-{'2' if number == '1' else '1'}{rest}"
    return user


class Crossing(Reading):
    """Shows in each room what was said last in another one."""

    as_own = False
    """Whether it shows it as if it had been said in this room."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._newest: dict[str, Row] = {}

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, and add what stands last in another room."""
        rows = super().select(consumer, place, page)
        if not rows:
            return rows
        others = [row for room, row in self._newest.items() if room != place.room_id]
        self._newest[place.room_id] = rows[-1]
        if self.as_own:
            others = [altered(row, room_id=place.room_id, sequence=place.head + 1) for row in others]
        return rows + others[:1]


class CrossingAsOwn(Crossing):
    """Shows it as this room's own."""

    as_own = True


ALTERS = Broken(
    name="alters",
    does="changes the last letter of each text",
    reading=Altering,
    kinds=frozenset({"phantom"}),
    scenarios=("basic", "latecomers"),
)
TRUNCATES = Broken(
    name="truncates",
    does="delivers three bytes of each text",
    reading=Truncating,
    kinds=frozenset({"phantom"}),
    scenarios=("latecomers",),
)
INVENTS = Broken(
    name="invents",
    does="delivers to chad a message that nobody sent",
    reading=Inventing,
    kinds=frozenset({"phantom"}),
    scenarios=("latecomers",),
)
MIXES_UP = Broken(
    name="mixes-up",
    does="names the wrong one of two people who have one name",
    reading=MixingUp,
    kinds=frozenset({"phantom", "undelivered", "gap", "false-claim"}),
    scenarios=("same_name",),
)
CROSSES = Broken(
    name="crosses",
    does="delivers with a room's messages one of another room",
    reading=Crossing,
    kinds=frozenset({"leak"}),
    scenarios=("own/two_rooms",),
)
CROSSES_AS_OWN = Broken(
    name="crosses-as-own",
    does="delivers another room's message as one of this room",
    reading=CrossingAsOwn,
    kinds=frozenset({"phantom"}),
    scenarios=("own/two_rooms",),
)
