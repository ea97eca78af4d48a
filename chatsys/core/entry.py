"""What can be written to the log. Already checked for form (see check.py); deciding is decide.py's.

The time is the server's clock when it took the request: an argument, so that deciding again gives the same.
"""

from typing import NamedTuple

from chatsys.core.model import Caller, Entry, History, Role


class CreateRoom(NamedTuple):
    """Make a room with its first members, in one entry."""

    caller: Caller
    time_us: int
    room_id: str
    display_name: str
    history: History
    entry: Entry
    members: tuple[tuple[str, Role], ...]
    """Each user once, sorted; with the caller unless excluded."""
    exclude_caller: bool
    request_id: str
    max_age_us: int = 0
    max_entries: int = 0


class OpenDirect(NamedTuple):
    """The conversation of the caller with one other user shall be there."""

    caller: Caller
    time_us: int
    user_id: str
    max_age_us: int = 0
    max_entries: int = 0


class Update(NamedTuple):
    """An admin changes settings of a room: those that are not None."""

    caller: Caller
    time_us: int
    room_id: str
    etag: str
    """Of the room as the caller knows it; empty takes any."""
    display_name: str | None = None
    entry: Entry | None = None
    retention: tuple[int, int] | None = None
    """Greatest age in microseconds, greatest number of entries; 0 is no limit."""


class Delete(NamedTuple):
    """An admin ends a room."""

    caller: Caller
    time_us: int
    room_id: str
    etag: str


class Trim(NamedTuple):
    """The server removes what a room need not keep, a few entries at a time."""

    time_us: int
    room_id: str
    most: int


class Send(NamedTuple):
    """Store one message."""

    sender_id: str
    time_us: int
    room_id: str
    content: bytes
    content_type: str
    client_message_id: str


class Join(NamedTuple):
    """The caller enters an open room."""

    caller: Caller
    time_us: int
    room_id: str


class Leave(NamedTuple):
    """The caller goes."""

    caller: Caller
    time_us: int
    room_id: str


class Add(NamedTuple):
    """An admin adds or re-roles a user."""

    caller: Caller
    time_us: int
    room_id: str
    user_id: str
    role: Role


class Remove(NamedTuple):
    """An admin removes a user."""

    caller: Caller
    time_us: int
    room_id: str
    user_id: str


class Ack(NamedTuple):
    """A consumer has read some rooms up to some sequences, and heard that memberships ended: all or none."""

    user_id: str
    consumer_id: str
    acks: tuple[tuple[str, int], ...]
    """(room id, sequence), each room once."""
    ended: tuple[tuple[str, int], ...] = ()
    """(room id, sequence at which the membership ended) of some of these rooms."""


class PutUser(NamedTuple):
    """A user becomes known, or changes the name it shows."""

    user_id: str
    display_name: str | None
    """None leaves it."""
    time_us: int
    new: bool
    """Whether the id must not be taken yet."""


LogEntry = (
    CreateRoom | OpenDirect | Update | Delete | Trim | Send | Join | Leave | Add | Remove | Ack | PutUser
)
