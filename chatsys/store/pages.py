"""``Pages``: what readers of one turn of the loop share, so that a message is read and encoded once for all of them.

Readers who keep up read what was committed just before: that need not be read back from the log, see ``offer``.
Invariants: nothing here outlives the turn, and all of it together has about ``SHARED_BYTES`` at most, however many
readers come back at once, each to a place of its own.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence

from chatsys.core.model import Kind
from chatsys.store.rows import Row

PAGE = 1_000
"""Entries that are read at once for who takes many."""
SMALL_PAGE = 128
"""The same for who takes few."""
PAGE_BYTES = 2 * 1024 * 1024
"""A page has no more entries when it has so many bytes."""
SHARED_BYTES = 64 * 1024 * 1024
"""When what is shared has more, the readers that come then share anew."""

_MESSAGE = Kind.MESSAGE.value

Read = Callable[[int, int, int, int], tuple[list[Row], int]]
"""Of a room, beyond a sequence, so many entries and so many bytes; answers the entries and their bytes."""


class Page:
    """Some entries of a room that follow each other, for everybody who reads them in this turn.

    Attributes:
        messages: The messages among them.
        senders: Who sent these.
        through: Sequence of the last entry, of any kind; where reading started if there is none.
        last: Whether nothing came after them.
        sequences: Of the messages.
    """

    __slots__ = ("_encoded", "last", "messages", "senders", "sequences", "through")

    def __init__(self, rows: list[Row], after: int, *, last: bool) -> None:
        self.messages = [row for row in rows if row.kind == _MESSAGE]
        self.sequences = [row.sequence for row in self.messages]
        self.senders = {row.actor_id for row in self.messages}
        self.through = rows[-1].sequence if rows else after
        self.last = last
        self._encoded: bytes | None = None

    def encoded(self, encode: Callable[[list[Row]], bytes]) -> bytes:
        """All messages, encoded once however many readers ask."""
        if self._encoded is None:
            self._encoded = encode(self.messages)
        return self._encoded


class Pages:
    """The pages of one turn, and what was made of them.

    Args:
        read: Reads a page from the log.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._fresh: Mapping[int, list[Row]] = {}
        self._pages: dict[tuple[int, int, int], Page] = {}
        self._made: dict[Hashable, tuple[bytes, Sequence[bytes]]] = {}
        self._bytes = 0

    def offer(self, fresh: Mapping[int, list[Row]]) -> None:
        """Takes what the last commit wrote, by room number; no commit after it may be seen in this turn.

        Of each room these are entries that follow each other, up to its head, ``PAGE_BYTES`` in all at most.
        """
        self._fresh = fresh

    def page(self, number: int, after: int, wanted: int) -> Page:
        """The entries of a room beyond ``after``.

        Args:
            number: The room's.
            after: Sequence.
            wanted: How many messages are of use; there may be more in the page, or fewer, whatever follows it.
        """
        size = PAGE if wanted > SMALL_PAGE else SMALL_PAGE
        key = (number, after, size)
        page = self._pages.get(key)
        if page is None:
            page = self._fresh_page(number, after, size)
            if page is None:
                rows, length = self._read(number, after, size, PAGE_BYTES)
                self._make_room(2 * length)  # as it is, and encoded
                page = Page(rows, after, last=len(rows) < size and length < PAGE_BYTES)
            self._pages[key] = page
        return page

    def _fresh_page(self, number: int, after: int, size: int) -> Page | None:
        """The page, if all of it was offered."""
        rows = self._fresh.get(number)
        begin = after + 1 - rows[0].sequence if rows else -1
        if not rows or not 0 <= begin < len(rows):
            return None
        # Retention leaves the position as it is. It removes from the oldest on: if the first is there, all are.
        found, _ = self._read(number, after, 1, PAGE_BYTES)
        if not found or found[0].sequence != after + 1:
            return None
        end = begin + size
        some = rows[begin:end]
        self._make_room(sum(len(row.body) for row in some))  # encoded
        return Page(some, after, last=end >= len(rows))

    def once(self, said: Hashable, parts: Sequence[bytes], make: Callable[[], bytes]) -> bytes:
        """What readers would make alike of the same parts, made once.

        Args:
            said: All else that it depends on.
            parts: Pieces that are known by being the same objects, which is cheaper than to compare them.
            make: Makes it.
        """
        key = (said, *map(id, parts))
        known = self._made.get(key)
        if known is not None:
            return known[0]
        made = make()
        self._make_room(len(made))
        # The parts are kept with it: no other object can have the id of one of them as long as it is there.
        self._made[key] = made, parts
        return made

    def forget(self) -> None:
        """Drops everything."""
        self._fresh = {}
        self._pages.clear()
        self._made.clear()
        self._bytes = 0

    def _make_room(self, length: int) -> None:
        if self._bytes + length > SHARED_BYTES:
            self.forget()
        self._bytes += length
