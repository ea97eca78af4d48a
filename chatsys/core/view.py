"""What ``decide`` may ask about the log so far. Read-only.

Implemented by dicts in tests, by SQLite plus the effects that are not committed yet in the writer.
"""

from typing import Protocol

from chatsys.core.model import Cursor, Membership, Room, Stored, User


class View(Protocol):
    """The state of the log at the place where an entry is decided."""

    def room(self, room_id: str) -> Room | None:
        """The room, or None if it never was."""

    def head(self, room_id: str) -> int:
        """Sequence of the newest entry of a room that is there; cheaper than all of ``room``."""

    def membership(self, room_id: str, user_id: str) -> Membership | None:
        """The latest membership, ended or not; None if the user never was a member."""

    def admins(self, room_id: str) -> int:
        """How many current members are ADMIN."""

    def members(self, room_id: str) -> int:
        """How many current members there are."""

    def sent(self, room_id: str, sender_id: str, client_message_id: str) -> Stored | None:
        """The message that this sender stored in this room under this id."""

    def cursor(self, room_id: str, user_id: str, consumer_id: str) -> Cursor:
        """What this consumer acknowledged."""

    def aged(self, room_id: str, before_us: int, most: int) -> int:
        """The last sequence of the oldest entries that were all written before a time.

        Looks at ``most`` messages at most; one below the room's ``first`` when there is none. An entry that is no
        message goes with the message behind it.
        """

    def user(self, user_id: str) -> User | None:
        """The user, or None if not known."""
