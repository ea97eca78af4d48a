"""Servers that get retention wrong: what they remove, or what they say of it."""

from __future__ import annotations

from typing import Any

from chatsys.server import history
from chatsys.server.hub import Hub
from chatsys.server.reading import Consumer, Reading
from chatsys.store import Place, Reads
from gallery.broken import Broken


class TrimmingSilently(Reading):
    """Goes on from what is left, as if there had never been more."""

    def lost(self, consumer: Consumer, place: Place, start: int) -> int:  # noqa: ARG002  # as all of its kind
        """Tell of no loss."""
        return 0


class WritingOff(Reading):
    """Gives up whatever waits for somebody who comes: says that it is gone, and goes on behind it."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._gone: dict[tuple[str, str, str], int] = {}

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Give up what is there in every room: this is asked once, when a stream begins."""
        found = super().places(reads, consumer)
        self._gone |= {(*consumer[:2], place.room_id): place.head + 1 for place in found}
        return found

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Show a room as if nothing were stored that was given up."""
        place = super().place(reads, consumer, room_id)
        if place is None:
            return None
        return place._replace(first=max(place.first, self._gone.get((*consumer[:2], room_id), 0)))


class WritingOffOneMore(Reading):
    """Counts one message more as gone than retention has removed.

    It is the reading that is wrong and not the removal: a removal of one too many is made good by the next message.
    """

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Count so in every room."""
        return [_one_less(place) for place in super().places(reads, consumer)]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Count so in one."""
        place = super().place(reads, consumer, room_id)
        return None if place is None else _one_less(place)


def _one_less(place: Place) -> Place:
    return place if place.first == 1 else place._replace(first=min(place.first + 1, place.head))


def _skip_one_on_a_page() -> None:
    good = history._forwards

    def forwards(*given: Any) -> Any:
        answer = good(*given)
        if len(answer.messages) > 1:
            del answer.messages[1]
        return answer

    setattr(history, "_forwards", forwards)  # noqa: B010  # mypy has a word about the other way


TRIMS_SILENTLY = Broken(
    name="trims-silently",
    does="removes what it need not keep, and does not tell those who had not read it",
    reading=TrimmingSilently,
    kinds=frozenset({"undelivered"}),  # it is gone from the store, too: no claim over it is false
    scenarios=("retention",),
)
WRITES_OFF = Broken(
    name="writes-off",
    does="tells who comes late that all is gone, though it is there",
    reading=WritingOff,
    kinds=frozenset(),
    others=frozenset({"missing", "inbox"}),
    scenarios=("latecomers",),
)
TRIMS_TOO_MUCH = Broken(
    name="trims-too-much",
    does="gives up one message more than retention may remove, and says so",
    reading=WritingOffOneMore,
    kinds=frozenset(),
    others=frozenset({"missing", "inbox"}),
    scenarios=("retention",),
)
SKIPS_IN_HISTORY = Broken(
    name="skips-in-history",
    does="leaves out the second message of each page of history",
    tamper=_skip_one_on_a_page,
    kinds=frozenset({"lost"}),
    scenarios=("everyone_online",),
)
