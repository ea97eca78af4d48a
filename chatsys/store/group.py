"""What one commit changed, as far as those who wait for news must know. No message contents."""

from typing import NamedTuple


class Group(NamedTuple):
    """The news of one commit."""

    position: int
    """Entries applied after it."""
    heads: dict[str, int]
    """New head of each room that got entries."""
    memberships: tuple[tuple[str, str], ...]
    """(room id, user id) of each membership that began, ended or changed."""
    cursors: tuple[tuple[str, str, str, int], ...]
    """(room id, user id, consumer id, acked) of each cursor that moved, or whose consumer heard of an end."""
