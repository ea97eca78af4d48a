"""Servers that show what is stored in a wrong way: again, in another order, or under other sequences."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Page, Place, Row
from chatsys.v1.types_pb2 import Message
from gallery.broken import Broken


def altered(row: Row, **fields: object) -> Row:
    """Return the row with other fields in its message."""
    message = Message.FromString(row.body)
    for name, value in fields.items():
        setattr(message, name, value)
    return row._replace(body=message.SerializeToString())


def is_of(consumer: Consumer, client: str) -> bool:
    """Whether this is the consumer of a client of the plan, whose user id has the run behind its name."""
    return consumer.user_id.startswith(f"{client}-")


class Doubling(Reading):
    """Shows each message twice."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select each row twice."""
        return [row for row in super().select(consumer, place, page) for _ in range(2)]


class Reversing(Reading):
    """Shows what it has at once from its end."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select in descending order."""
        return super().select(consumer, place, page)[::-1]


class ReversingForOne(Reading):
    """Does so for chad, while all others see the right order."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select in descending order for chad."""
        rows = super().select(consumer, place, page)
        return rows[::-1] if is_of(consumer, "chad") else rows


class RenumberingForOne(Reading):
    """Hides that from chad: the sequences rise."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select in descending order for chad, under the sequences of the right one."""
        rows = super().select(consumer, place, page)
        if not is_of(consumer, "chad"):
            return rows
        return [
            altered(row, sequence=shown.sequence)._replace(sequence=shown.sequence)
            for row, shown in zip(reversed(rows), rows, strict=True)
        ]


class Reusing(Reading):
    """Uses a sequence again: the last message of a page stands where the one before it stands."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, with the last row under the sequence of its neighbour."""
        rows = super().select(consumer, place, page)
        if len(rows) > 1:
            rows = [*rows[:-1], altered(rows[-1], sequence=rows[-2].sequence)]
        return rows


class Restoring(Reading):
    """Shows the last message a second time, at a place of its own."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select, with the newest entry once more behind itself."""
        rows = super().select(consumer, place, page)
        if rows and rows[-1].sequence == place.head:
            rows = [*rows, altered(rows[-1], sequence=place.head + 1)]
        return rows


DOUBLES = Broken(
    name="doubles",
    does="delivers each message twice",
    reading=Doubling,
    kinds=frozenset({"redelivered-without-cause"}),
    scenarios=("basic", "latecomers", "own/polled"),
)
REVERSES = Broken(
    name="reverses",
    does="delivers a backlog from its end",
    reading=Reversing,
    kinds=frozenset({"batch-order"}),
    scenarios=("latecomers",),
)
REVERSES_FOR_ONE = Broken(
    name="reverses-for-one",
    does="delivers chad's backlog from its end",
    reading=ReversingForOne,
    kinds=frozenset({"batch-order", "two-orders"}),
    scenarios=("latecomers",),
)
RENUMBERS_FOR_ONE = Broken(
    name="renumbers-for-one",
    does="delivers chad's backlog from its end, under sequences that rise",
    reading=RenumberingForOne,
    kinds=frozenset({"sequence-conflict", "two-orders"}),
    scenarios=("latecomers",),
)
REUSES = Broken(
    name="reuses",
    does="shows two messages at one sequence",
    reading=Reusing,
    kinds=frozenset({"sequence-conflict"}),
    scenarios=("latecomers",),
)
RESTORES = Broken(
    name="restores",
    does="shows the newest message a second time, at the next sequence",
    reading=Restoring,
    kinds=frozenset({"stored-twice"}),
    scenarios=("latecomers",),
)
