"""Servers that get membership, takeover and retention wrong."""

from __future__ import annotations

from chatsys.server.hub import Hub
from chatsys.server.reading import Consumer, Reading
from chatsys.server.stream import Stream
from chatsys.store import Place, Reads
from gallery.broken import Broken


class _Changing(Reading):
    """Changes every place that is shown."""

    def places(self, reads: Reads, consumer: Consumer) -> list[Place]:
        """Return the consumer's rooms, changed."""
        return [self.changed(consumer, place) for place in super().places(reads, consumer)]

    def place(self, reads: Reads, consumer: Consumer, room_id: str) -> Place | None:
        """Return the consumer's place in a room, changed."""
        place = super().place(reads, consumer, room_id)
        return None if place is None else self.changed(consumer, place)

    def changed(self, consumer: Consumer, place: Place) -> Place:  # noqa: ARG002  # as all of its kind
        """Return what is shown in the place of a place."""
        return place


class KeepingRemoved(_Changing):
    """Goes on telling people who were removed."""

    def changed(self, consumer: Consumer, place: Place) -> Place:  # noqa: ARG002  # as all of its kind
        """Show a membership that ended as one that goes on."""
        return place._replace(end_sequence=0)


class RememberingRejoined(_Changing):
    """Tells those who were taken in later what was said before."""

    def changed(self, consumer: Consumer, place: Place) -> Place:  # noqa: ARG002  # as all of its kind
        """Show every membership as one from the start."""
        return place._replace(join_sequence=1)


class TakingOverFromTheStart(_Changing):
    """Forgets, when a device is opened a second time, what it had read."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._seen: dict[tuple[str, str], object] = {}

    def changed(self, consumer: Consumer, place: Place) -> Place:
        """Show the cursor of a consumer whose stream is not the first one as if it had read nothing."""
        key = consumer[:2]
        stream = self.hub.streams.get(key)
        if stream is None:
            return place
        return place if self._seen.setdefault(key, stream) is stream else place._replace(acked=0)


class TakingOverAtTheEnd(_Changing):
    """Lets a device that is opened a second time begin at the newest message."""

    def changed(self, consumer: Consumer, place: Place) -> Place:
        """Show all that is there as acknowledged when another stream of the consumer is open."""
        return place._replace(acked=place.head) if consumer[:2] in _taken_over else place


_taken_over: set[tuple[str, str]] = set()


def _watch_takeovers() -> None:
    good = Stream._take_over

    def take_over(stream: Stream, hub: Hub) -> None:
        if stream._key in hub.streams:
            _taken_over.add(stream._key)
        good(stream, hub)

    setattr(Stream, "_take_over", take_over)  # noqa: B010  # mypy has a word about the other way


def _keep_both() -> None:
    setattr(Stream, "replace", lambda _stream: None)  # noqa: B010  # the same


class ForgettingSilently(_Changing):
    """Keeps one message of a room, and does not say that there were more."""

    def changed(self, consumer: Consumer, place: Place) -> Place:  # noqa: ARG002  # as all of its kind
        """Show the newest entry as the oldest one that is stored."""
        return place._replace(first=place.head)

    def lost(self, consumer: Consumer, place: Place, start: int) -> int:  # noqa: ARG002  # as all of its kind
        """Tell of no loss."""
        return 0


KEEPS_REMOVED = Broken(
    name="keeps-removed",
    does="goes on telling people who were put out of a room",
    reading=KeepingRemoved,
    kinds=frozenset({"leak"}),
    scenarios=("kick", "moderation"),
)
REMEMBERS_REJOINED = Broken(
    name="remembers-rejoined",
    does="tells who came later, or came back, what was said before",
    reading=RememberingRejoined,
    kinds=frozenset({"leak", "false-claim"}),  # he had been told that nothing up to there was for him
    scenarios=("moderation",),
)
TAKES_OVER_FROM_THE_START = Broken(
    name="takes-over-from-the-start",
    does="forgets, when a device takes over, what the one before it had acknowledged",
    reading=TakingOverFromTheStart,
    kinds=frozenset({"redelivered-after-ack"}),
    scenarios=("takeover",),
)
TAKES_OVER_AT_THE_END = Broken(
    name="takes-over-at-the-end",
    does="skips, when a device takes over, what the one before it had not acknowledged",
    reading=TakingOverAtTheEnd,
    tamper=_watch_takeovers,
    kinds=frozenset(),
    others=frozenset({"missing", "inbox"}),
    scenarios=("own/two_phones",),
)
KEEPS_BOTH = Broken(
    name="keeps-both",
    does="goes on telling the older one of two streams of a device",
    tamper=_keep_both,
    kinds=frozenset({"redelivered-without-cause"}),
    others=frozenset({"inbox"}),
    scenarios=("own/two_phones",),
)
FORGETS_SILENTLY = Broken(
    name="forgets-silently",
    does="removes all but the newest message, and does not tell those who had not read them",
    reading=ForgettingSilently,
    kinds=frozenset({"undelivered", "gap", "false-claim"}),
    scenarios=("latecomers",),
)
