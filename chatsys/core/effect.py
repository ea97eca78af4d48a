"""What a decided entry changes. A log applies effects in order; they need no further judgement.

Invariant: of one room, ``Append.sequence`` is the head before it plus one.
"""

from typing import NamedTuple

from chatsys.core.model import Cursor, Kind, Membership, Room, User


class NewRoom(NamedTuple):
    """A room begins, with head 0; its entry 1 follows."""

    room: Room


class Append(NamedTuple):
    """One more entry in a room's log."""

    room_id: str
    sequence: int
    kind: Kind
    actor_id: str
    """The sender of a message; who did it otherwise."""
    time_us: int
    content: bytes
    """Of a message; the user concerned otherwise, as UTF-8."""
    content_type: str
    client_message_id: str


class SetRoom(NamedTuple):
    """The settings of a room change; its head was moved by the entry before."""

    room: Room


class EndMemberships(NamedTuple):
    """Every membership of a room that goes on ends, by this entry."""

    room_id: str
    sequence: int


class Trim(NamedTuple):
    """Everything before this sequence is removed from a room's log."""

    room_id: str
    first: int


class SetMembership(NamedTuple):
    """A membership begins, changes its role or ends."""

    membership: Membership


class SetCursor(NamedTuple):
    """A consumer's cursor moves forward."""

    room_id: str
    user_id: str
    consumer_id: str
    cursor: Cursor


class SetUser(NamedTuple):
    """A user is known from now on, under this name."""

    user: User


Effect = NewRoom | Append | SetRoom | EndMemberships | Trim | SetMembership | SetCursor | SetUser
