"""What a log knows: rooms, memberships, users, stored messages. Plain immutable records.

Named tuples, because the writer makes several for every message and they are the cheapest immutable record.
"""

import enum
from typing import NamedTuple


class History(enum.IntEnum):
    """Numbers of chatsys.v1.HistoryVisibility."""

    SINCE_JOIN = 1
    WHOLE_ROOM = 2


class Entry(enum.IntEnum):
    """Numbers of chatsys.v1.JoinPolicy: who may add themselves."""

    INVITE = 1
    OPEN = 2


class Role(enum.IntEnum):
    """Numbers of chatsys.v1.MemberRole."""

    READER = 1
    WRITER = 2
    ADMIN = 3


class Kind(enum.IntEnum):
    """What one entry of a room's log is. The numbers are stored."""

    CREATED = 1
    MESSAGE = 2
    JOINED = 3
    LEFT = 4
    ROLE_CHANGED = 5
    UPDATED = 6
    DELETED = 7


class Caller(NamedTuple):
    """Who makes a request."""

    user_id: str
    admin: bool
    """Whether the caller has the admin scope."""


class User(NamedTuple):
    """A user. The id is the identity; the name is only shown."""

    user_id: str
    display_name: str
    create_time_us: int


class Room(NamedTuple):
    """A room as of some point of the log."""

    room_id: str
    display_name: str
    history: History
    entry: Entry
    head: int
    """Sequence of the newest entry."""
    create_time_us: int
    creator_id: str
    request: str
    """What made the room: request id and settings, to know a repeated CreateRoom by. Empty: not repeatable."""
    etag: str = ""
    """Version of what can be changed; see ``rooms.etag``."""
    first: int = 1
    """Sequence of the oldest entry still stored; head + 1 when none is."""
    deleted: int = 0
    """Sequence of the entry that ended it; 0 while it lives."""
    max_age_us: int = 0
    """Messages older than this go; 0 keeps them."""
    max_entries: int = 0
    """So many of the newest entries stay; 0 keeps all."""
    direct: bool = False
    """Whether it is the conversation of two people."""


class Membership(NamedTuple):
    """The latest membership of a user in a room, going on or ended."""

    room_id: str
    user_id: str
    role: Role
    join_sequence: int
    join_time_us: int
    end_sequence: int
    """Sequence of the entry that ended it; 0 while it goes on."""

    @property
    def current(self) -> bool:
        """Whether the user is a member now."""
        return self.end_sequence == 0


class Cursor(NamedTuple):
    """How far a consumer is in a room. Both only grow."""

    acked: int = 0
    """Everything up to this sequence was handed to its application."""
    settled: int = 0
    """So was that the user's membership ended at this sequence; 0 if no end was."""


class Stored(NamedTuple):
    """A stored message, as far as a repeated send must know it."""

    sequence: int
    create_time_us: int
    content: bytes
    content_type: str
