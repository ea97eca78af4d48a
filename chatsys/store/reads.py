"""Every SELECT. One ``Reads`` wraps one connection; what it sees is that connection's transaction.

Reads of messages are flat: by (room, sequence > after), whatever the size of the log.
"""

import json
import sqlite3
import sys
from collections.abc import Iterable
from typing import Any

from chatsys.core.model import Cursor, Entry, History, Kind, Membership, Role, Room, Stored, User
from chatsys.store.pages import Page, Pages
from chatsys.store.rows import Place, Row, sound, stored

_MESSAGE = Kind.MESSAGE.value
_HISTORY = {each.value: each for each in History}
_ENTRY = {each.value: each for each in Entry}
_ROLE = {each.value: each for each in Role}

UNREAD_LIMIT = 1_000
"""Unread messages are counted up to here."""

UNREAD_SCAN = 16_384
"""Entries that are looked at for that: somebody's own messages are passed over, and there may be millions."""

_ROOM_COLUMNS = (
    "room_id, display_name, history, entry, head, create_time_us, creator_id, request, etag, first, deleted,"
    " max_age_us, max_entries, direct"
)
_PLACE = (
    "SELECT r.number, r.room_id, r.history, r.head, m.join_sequence, m.end_sequence, coalesce(c.acked, 0), r.first,"
    " coalesce(c.settled, 0)"
    " FROM membership m JOIN room r ON r.number = m.room"
    " LEFT JOIN cursor c ON c.user_id = m.user_id AND c.consumer_id = ? AND c.room = m.room"
    " WHERE m.user_id = ?"
)
_ALL_PLACES = _PLACE + " ORDER BY m.room"
_ONE_PLACE = _PLACE + " AND m.room = (SELECT number FROM room WHERE room_id = ?)"  # noqa: S608  # constants

_ENTRY_COLUMNS = "sequence, kind, actor_id, body, crc"


class Reads:
    """The questions that can be put to the log.

    Args:
        connection: Open; used by one thread at a time.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self.shared = Pages(self._some)
        """By readers of one turn; whoever ends the turn makes it forget."""

    def meta(self, key: str) -> str | int:
        """One value of the log's own page: epoch, position, schema."""
        value: str | int = self._execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]
        return value

    def position(self) -> int:
        """Entries applied."""
        return int(self.meta("position"))

    def user(self, user_id: str) -> User | None:
        """The user, if known."""
        row = self._execute("SELECT * FROM user WHERE user_id = ?", (user_id,)).fetchone()
        return None if row is None else User(*row)

    def room(self, room_id: str) -> tuple[int, Room] | None:
        """The room and its number."""
        row = self._execute(
            f"SELECT number, {_ROOM_COLUMNS} FROM room WHERE room_id = ?",  # noqa: S608  # constants
            (room_id,),
        ).fetchone()
        return None if row is None else (row[0], _room(row[1:]))

    def last_room_number(self) -> int:
        """The highest number given out; 0 for none."""
        return int(self._execute("SELECT coalesce(max(number), 0) FROM room").fetchone()[0])

    def rooms_of(self, user_id: str, *, include_open: bool, after: str, limit: int) -> list[Room]:
        """Rooms that the user is a member of (and open ones), by id, from ``after`` on."""
        rows = self._execute(
            f"SELECT {_ROOM_COLUMNS} FROM room WHERE room_id > ? AND deleted = 0"  # noqa: S608  # constants
            " AND ((? AND entry = ?) OR number IN"
            " (SELECT room FROM membership WHERE user_id = ? AND end_sequence = 0)) ORDER BY room_id LIMIT ?",
            (after, include_open, Entry.OPEN.value, user_id, limit),
        )
        return [_room(row) for row in rows]

    def membership(self, number: int, room_id: str, user_id: str) -> Membership | None:
        """The latest membership of a user."""
        row = self._execute(
            "SELECT role, join_sequence, join_time_us, end_sequence FROM membership"
            " WHERE user_id = ? AND room = ?",
            (user_id, number),
        ).fetchone()
        return None if row is None else Membership(room_id, user_id, _ROLE[row[0]], row[1], row[2], row[3])

    def memberships(self, number: int, room_id: str, limit: int) -> list[Membership]:
        """The latest membership of everybody who is or was in a room, by user id; reads all there are."""
        rows = self._execute(
            "SELECT user_id, role, join_sequence, join_time_us, end_sequence FROM membership WHERE room = ?"
            " ORDER BY user_id LIMIT ?",
            (number, limit),
        )
        return [Membership(room_id, row[0], _ROLE[row[1]], *row[2:]) for row in rows]

    def consumers(self, number: int, user_id: str) -> list[str]:
        """The consumers of a user that have acknowledged something in a room."""
        rows = self._execute(
            "SELECT consumer_id FROM cursor WHERE user_id = ? AND room = ?", (user_id, number)
        )
        return [consumer_id for (consumer_id,) in rows]

    def members(self, number: int, room_id: str, after: str, limit: int) -> list[tuple[Membership, str]]:
        """Current members with their display names, by user id, from ``after`` on."""
        rows = self._execute(
            "SELECT m.user_id, m.role, m.join_sequence, m.join_time_us, coalesce(u.display_name, '')"
            " FROM membership m LEFT JOIN user u ON u.user_id = m.user_id"
            " WHERE m.room = ? AND m.end_sequence = 0 AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
            (number, after, limit),
        )
        return [(Membership(room_id, row[0], _ROLE[row[1]], row[2], row[3], 0), row[4]) for row in rows]

    def count_members(self, number: int) -> tuple[int, int]:
        """How many current members there are, and how many of them are ADMIN."""
        row = self._execute(
            "SELECT count(*), coalesce(sum(role = ?), 0) FROM membership WHERE room = ? AND end_sequence = 0",
            (Role.ADMIN.value, number),
        ).fetchone()
        return int(row[0]), int(row[1])

    def count_rooms(self, user_id: str) -> int:
        """Rooms that a user is a member of."""
        row = self._execute(
            "SELECT count(*) FROM membership WHERE user_id = ? AND end_sequence = 0", (user_id,)
        ).fetchone()
        return int(row[0])

    def places(self, user_id: str, consumer_id: str) -> list[Place]:
        """Every room the user is or was a member of, by number, with this consumer's cursor."""
        rows = self._execute(_ALL_PLACES, (consumer_id, user_id))
        return [_place(row) for row in rows]

    def place(self, user_id: str, consumer_id: str, room_id: str) -> Place | None:
        """The same for one room; None if the user never was a member."""
        row = self._execute(_ONE_PLACE, (consumer_id, user_id, room_id)).fetchone()
        return None if row is None else _place(row)

    def cursor(self, number: int, user_id: str, consumer_id: str) -> Cursor:
        """What a consumer acknowledged."""
        row = self._execute(
            "SELECT acked, settled FROM cursor WHERE user_id = ? AND consumer_id = ? AND room = ?",
            (user_id, consumer_id, number),
        ).fetchone()
        return Cursor() if row is None else Cursor._make(row)

    def entries(self, number: int, after: int, limit: int) -> list[Row]:
        """Entries of a room with a sequence beyond ``after``, ascending, at most ``limit``."""
        return self._some(number, after, limit, sys.maxsize)[0]

    def _some(self, number: int, after: int, limit: int, max_bytes: int) -> tuple[list[Row], int]:
        found = self._execute(
            f"SELECT {_ENTRY_COLUMNS} FROM entry WHERE room = ? AND sequence > ?"  # noqa: S608  # constants
            " ORDER BY sequence LIMIT ?",
            (number, after, limit),
        )
        return sound(number, found, max_bytes)

    def messages_before(self, number: int, before: int, after: int, limit: int) -> list[Row]:
        """The newest messages with a sequence below ``before`` and beyond ``after``, ascending."""
        found = self._execute(
            f"SELECT {_ENTRY_COLUMNS} FROM entry WHERE room = ? AND sequence < ?"  # noqa: S608  # constants
            " AND sequence > ? AND kind = ? ORDER BY sequence DESC LIMIT ?",
            (number, before, after, _MESSAGE, limit),
        )
        return sound(number, found)[0][::-1]

    def entry(self, number: int, sequence: int) -> Row | None:
        """One entry, if it is still stored."""
        found = self.entries(number, sequence - 1, 1)
        return found[0] if found and found[0].sequence == sequence else None

    def aged(self, number: int, first: int, before_us: int, most: int) -> int:
        """The last sequence of the oldest entries that were all written before a time; see ``View.aged``."""
        last = first - 1
        # An entry that is no message has no time of its own: it goes with the message behind it.
        rows = self._execute(
            "SELECT body, crc FROM entry WHERE room = ? AND sequence >= ? AND kind = ? ORDER BY sequence LIMIT ?",
            (number, first, _MESSAGE, most),
        )
        for body, crc in rows:
            message = stored(number, body, crc)
            if message.create_time_us >= before_us:
                break
            last = message.sequence
        return last

    def to_trim(self, after: int, limit: int) -> list[tuple[int, Room]]:
        """Rooms that need not keep everything, by number, from ``after`` on."""
        rows = self._execute(
            f"SELECT number, {_ROOM_COLUMNS} FROM room WHERE"  # noqa: S608  # constants
            " (deleted > first OR max_age_us > 0 OR max_entries > 0) AND number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [(row[0], _room(row[1:])) for row in rows]

    def page(self, number: int, after: int, wanted: int) -> Page:
        """The entries of a room beyond ``after``; readers of one turn share them. See ``Pages``."""
        return self.shared.page(number, after, wanted)

    def unread(self, number: int, after: int, user_id: str) -> int:
        """Messages of others beyond ``after``; stops at ``UNREAD_LIMIT``."""
        row = self._execute(
            "SELECT count(*) FROM (SELECT 1 FROM entry WHERE room = ? AND sequence > ? AND sequence <= ?"
            " AND kind = ? AND actor_id <> ? LIMIT ?)",
            (number, after, after + UNREAD_SCAN, _MESSAGE, user_id, UNREAD_LIMIT),
        ).fetchone()
        return int(row[0])

    def sent(self, number: int, sender_id: str, client_message_id: str) -> Stored | None:
        """The message a sender stored under this id."""
        row = self._execute(
            "SELECT body, crc FROM entry WHERE client_message_id = ? AND room = ? AND actor_id = ?",
            (client_message_id, number, sender_id),
        ).fetchone()
        return None if row is None else stored(number, *row)

    def last_client_message_id(self) -> str:
        """The last id that anything is stored under, as texts are ordered; empty for none."""
        row = self._execute(
            "SELECT client_message_id FROM entry WHERE client_message_id IS NOT NULL"
            " ORDER BY client_message_id DESC LIMIT 1"
        ).fetchone()
        return "" if row is None else str(row[0])

    def sent_under(self, client_message_ids: Iterable[str]) -> dict[tuple[int, str, str], Stored]:
        """All messages stored under any of these ids, by (room number, sender, id)."""
        rows = self._execute(
            "SELECT room, actor_id, client_message_id, body, crc FROM entry"
            " WHERE client_message_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(client_message_ids)),),
        )
        return {
            (room, sender_id, message_id): stored(room, *written)
            for room, sender_id, message_id, *written in rows
        }


def _room(row: tuple[Any, ...]) -> Room:
    room = Room._make(row)
    return room._replace(history=_HISTORY[row[2]], entry=_ENTRY[row[3]], direct=bool(row[13]))


def _place(row: tuple[int, str, int, int, int, int, int, int, int]) -> Place:
    number, room_id, history, *rest = row
    return Place(number, room_id, _HISTORY[history], *rest)
