"""``Deliveries``: what this process wrote to whom lately, for ``ExplainDelivery``. Spans of sequences, no messages.

Bounded: the last few spans of each reader and room, and of so many readers; the one that was told nothing for the
longest is forgotten first.
"""

from collections import OrderedDict, deque
from typing import NamedTuple

READERS = 20_000
"""Consumers and rooms that are remembered."""
SPANS = 8
"""Of each."""


class Span(NamedTuple):
    """One delta with messages."""

    after: int
    through: int
    time_us: int


class Deliveries:
    """Remembers spans by (user id, consumer id, room id)."""

    def __init__(self) -> None:
        self._spans: OrderedDict[tuple[str, str, str], deque[Span]] = OrderedDict()

    def wrote(self, user_id: str, consumer_id: str, room_id: str, span: Span) -> None:
        """Remembers that these entries were written to this reader."""
        key = (user_id, consumer_id, room_id)
        spans = self._spans.get(key)
        if spans is None:
            spans = self._spans[key] = deque(maxlen=SPANS)
            if len(self._spans) > READERS:
                self._spans.popitem(last=False)
        else:
            self._spans.move_to_end(key)
        spans.append(span)

    def of(self, user_id: str, consumer_id: str, room_id: str, sequence: int) -> list[Span]:
        """The spans that held one entry, oldest first."""
        spans = self._spans.get((user_id, consumer_id, room_id), ())
        return [span for span in spans if span.after < sequence <= span.through]
