"""``Reading``: who is shown what, and what is claimed about it. All that Poll and Subscribe tell passes here.

A server that must be convicted of something is a subclass that overrides one of these methods, given to
``chatsys.server.main.main(argv, reading=...)``:

* ``places`` / ``place``: the rooms a consumer is shown at all (tell an outsider: make up a ``Place``);
* ``select``: which messages of a page a consumer gets (echo, swallow, repeat, reorder);
* ``lost``: whether it is told that retention removed something unread;
* ``through``: up to where a delta claims to be complete;
* ``position``: which position an answer claims to include.

``self.hub.touch(room_id)`` makes every stream and waiting poll that is shown a room look at it again, and
``self.hub.position`` is what was published last.
"""

from typing import NamedTuple

from chatsys.core import visibility
from chatsys.server import frames
from chatsys.server.hub import Hub
from chatsys.store import Page, Place, Reads, Row


class Consumer(NamedTuple):
    """Who reads."""

    user_id: str
    consumer_id: str
    include_own: bool


class Slice(NamedTuple):
    """What a consumer is shown of one room between two points."""

    rows: list[Row]
    encoded: bytes
    """The same, as ``frames.messages`` makes it."""
    through: int
    """Everything for the consumer up to here is in ``rows`` or was before them."""
    blocked: bool
    """Whether a limit held back something for the consumer."""
    more: bool
    """Whether there are entries beyond ``through``, which may or may not be for the consumer."""
    lost: int = 0
    """Retention removed entries up to here that were not read; 0 if it did not."""
    shared: list[int] | None = None
    """The sequences of the rows, where all readers of a page may share them."""

    @property
    def sequences(self) -> list[int]:
        """Of the rows; not to be changed."""
        return [row.sequence for row in self.rows] if self.shared is None else self.shared


class Reading:
    """Answers what one consumer may be told. Holds nothing.

    Args:
        hub: Where readers wait; see the module's docstring.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Every room that the consumer's user is or was a member of."""
        return reads.places(consumer.user_id, consumer.consumer_id)

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """One of them; None when the user never was a member."""
        return reads.place(consumer.user_id, consumer.consumer_id, room_id)

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """The messages of a page that are for this consumer, ascending.

        Answering ``page.messages`` itself lets all such readers share its encoded form.
        """
        floor = visibility.floor(place.history, place.join_sequence)
        rows = page.messages
        if rows and rows[0].sequence <= floor:
            rows = [row for row in rows if row.sequence > floor]
        if not consumer.include_own and consumer.user_id in page.senders:
            rows = [row for row in rows if row.actor_id != consumer.user_id]
        return rows

    def through(self, consumer: Consumer, place: Place, through: int) -> int:  # noqa: ARG002  # for those who lie
        """Up to where a delta claims to be complete, when it is complete up to ``through``."""
        return through

    def lost(self, consumer: Consumer, place: Place, start: int) -> int:  # noqa: ARG002  # for those who lie
        """Up to where entries beyond ``start`` were removed before they were read; 0 if none was."""
        return place.first - 1 if place.first - 1 > start else 0

    def position(self, consumer: Consumer, applied: int) -> int:  # noqa: ARG002  # for those who lie
        """The number of entries that an answer claims to include, when it includes ``applied``."""
        return applied

    def slice(
        self, reads: Reads, consumer: Consumer, place: Place, after: int, limit: int, max_bytes: int
    ) -> Slice:
        """Reads on in one room: one page at most, so that a long backlog does not hold up others.

        Args:
            reads: The log now.
            consumer: Who reads.
            place: A room that the user is a member of.
            after: Everything up to here was read before.
            limit: At most so many messages; 0 finds out whether there is one.
            max_bytes: At most so many bytes of messages, but one message at least if it is positive.
        """
        start = max(after, visibility.floor(place.history, place.join_sequence))
        if start >= place.head:
            return Slice([], b"", max(after, place.head), blocked=False, more=False)
        lost = 0
        if start < place.first - 1:
            # Whatever it was is gone, so that nobody can say whether it was for this consumer.
            lost = self.lost(consumer, place, start)
            start = place.first - 1
            if start >= place.head:
                return Slice([], b"", place.head, blocked=False, more=False, lost=lost)
        page = reads.page(place.number, start, limit)
        rows = self.select(consumer, place, page)
        whole = rows is page.messages and len(rows) <= limit
        if not (whole and len(page.encoded(frames.messages)) <= max_bytes):
            fitting = _fitting(rows, limit, max_bytes)
            if fitting < len(rows):
                through = rows[fitting].sequence - 1
                rows = rows[:fitting]
                encoded = frames.messages(rows)
                return Slice(rows, encoded, max(after, through), blocked=True, more=True, lost=lost)
        encoded = page.encoded(frames.messages) if rows is page.messages else frames.messages(rows)
        sequences = page.sequences if rows is page.messages else None
        return Slice(
            rows,
            encoded,
            max(after, page.through),
            blocked=False,
            more=not page.last,
            lost=lost,
            shared=sequences,
        )


def _fitting(rows: list[Row], limit: int, max_bytes: int) -> int:
    """How many of these rows may go."""
    size = 0
    for index, row in enumerate(rows):
        size += len(row.body)
        if index >= limit or (size > max_bytes and (index or max_bytes <= 0)):
            return index
    return len(rows)
