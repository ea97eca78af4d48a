"""What the caller is told about an entry that was decided. A refusal is ``chatsys.errors.Refusal``."""

from typing import NamedTuple

from chatsys.core.model import Membership, Room, User
from chatsys.errors import Refusal


class Sent(NamedTuple):
    """The message is in the log, now or since an earlier try."""

    sequence: int
    create_time_us: int
    duplicate: bool


class RoomMade(NamedTuple):
    """The room is there, now or since an earlier try."""

    room: Room


class RoomIs(NamedTuple):
    """The room after the entry."""

    room: Room


class Trimmed(NamedTuple):
    """What may go is gone, up to the number of entries that was allowed."""

    removed: int
    more: bool
    """Whether there is more to remove."""


class MemberIs(NamedTuple):
    """The membership after the entry."""

    membership: Membership


class Gone(NamedTuple):
    """The user is not a member."""


class Acked(NamedTuple):
    """The cursors after the request, of rooms that the caller is a member of."""

    cursors: tuple[tuple[str, int], ...]


class UserIs(NamedTuple):
    """The user after the entry."""

    user: User


Outcome = Sent | RoomMade | RoomIs | Trimmed | MemberIs | Gone | Acked | UserIs | Refusal
