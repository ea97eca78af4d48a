"""A server that gives people their own messages back."""

from __future__ import annotations

from chatsys.server.reading import Consumer, Reading
from chatsys.store import Page, Place, Row
from gallery.broken import Broken


class Echoing(Reading):
    """Treats everybody as if they had asked for their own messages."""

    def select(self, consumer: Consumer, place: Place, page: Page) -> list[Row]:
        """Select as for one who wants his own messages, too."""
        return super().select(consumer._replace(include_own=True), place, page)


ECHOES = Broken(
    name="echoes",
    does="delivers each message to its sender, too",
    reading=Echoing,
    kinds=frozenset({"echo"}),
    scenarios=("basic", "everyone_online", "outsider"),
)
