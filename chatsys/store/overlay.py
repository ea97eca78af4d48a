"""The writer's view: the committed log plus the effects of the group that is being decided.

Invariant: one overlay lives as long as one group. After its COMMIT, or its failure, it is dropped whole.
"""

import sqlite3

from chatsys.core import effect as effects
from chatsys.core.model import Cursor, Kind, Membership, Role, Room, Stored, User
from chatsys.store.encoder import Encoder
from chatsys.store.entries import EntryRow, insert
from chatsys.store.group import Group
from chatsys.store.pages import PAGE_BYTES
from chatsys.store.reads import Reads
from chatsys.store.rows import Row, checksum

_MESSAGE = Kind.MESSAGE.value
_SeenMember = Membership | None


class Overlay:
    """A ``chatsys.core.View`` that can be written to the log.

    Args:
        reads: Of the writing connection; nobody else changes the log meanwhile.
        position: Entries applied before this group.
        last_room: The highest room number given out before this group.
    """

    def __init__(self, reads: Reads, position: int, last_room: int) -> None:
        self.position = position
        self.last_room = last_room
        self._reads = reads
        # What was asked for or changed in this group.
        self._rooms: dict[str, Room | None] = {}
        self._numbers: dict[str, int] = {}
        self._memberships: dict[tuple[str, str], _SeenMember] = {}
        self._users: dict[str, User | None] = {}
        self._cursors: dict[tuple[str, str, str], Cursor] = {}
        # What this group changed.
        self._entries: list[EntryRow] = []
        self._sent: dict[tuple[str, str, str], effects.Append] = {}
        # What was found ahead of being asked for, and under which client message ids that was.
        self._found: dict[tuple[int, str, str], Stored] = {}
        self._looked_for: frozenset[str] = frozenset()
        self._new_rooms: list[str] = []
        self._heads: dict[str, int] = {}
        self._changed_rooms: set[str] = set()
        self._trims: dict[str, int] = {}
        self._ended_rooms: dict[str, int] = {}
        self._set_memberships: dict[tuple[str, str], Membership] = {}
        self._set_users: dict[str, User] = {}
        self._set_cursors: dict[tuple[str, str, str], Cursor] = {}
        self._encoder = Encoder()

    def look_ahead(self, client_message_ids: frozenset[str]) -> None:
        """Finds what is stored under these ids at once, before anything is decided: one by one takes far longer.

        Nothing is stored under an id beyond the last of all, as are new ones that grow with time.
        """
        self._looked_for = client_message_ids
        last = self._reads.last_client_message_id()
        known = [each for each in client_message_ids if each <= last]
        self._found = self._reads.sent_under(known) if known else {}

    # What decide() asks.

    def room(self, room_id: str) -> Room | None:
        """See ``View``."""
        try:
            room = self._rooms[room_id]
        except KeyError:
            found = self._reads.room(room_id)
            room = None
            if found is not None:
                self._numbers[room_id], room = found
            self._rooms[room_id] = room
        head = self._heads.get(room_id)
        if room is not None and head is not None and room.head != head:
            room = self._rooms[room_id] = room._replace(head=head)
        return room

    def head(self, room_id: str) -> int:
        """See ``View``."""
        head = self._heads.get(room_id)
        if head is None:
            room = self.room(room_id)
            assert room is not None, "only of a room that is there"
            return room.head
        return head

    def membership(self, room_id: str, user_id: str) -> Membership | None:
        """See ``View``."""
        key = (room_id, user_id)
        try:
            return self._memberships[key]
        except KeyError:
            number = self._number(room_id)
            found = None if number is None else self._reads.membership(number, room_id, user_id)
            ended = self._ended_rooms.get(room_id)
            if found is not None and found.current and ended is not None:
                found = found._replace(end_sequence=ended)
            self._memberships[key] = found
            return found

    def admins(self, room_id: str) -> int:
        """See ``View``."""
        return self._counts(room_id)[1]

    def members(self, room_id: str) -> int:
        """See ``View``."""
        return self._counts(room_id)[0]

    def sent(self, room_id: str, sender_id: str, client_message_id: str) -> Stored | None:
        """See ``View``."""
        append = self._sent.get((room_id, sender_id, client_message_id))
        if append is not None:
            found: Stored | None = Stored(
                append.sequence, append.time_us, append.content, append.content_type
            )
        else:
            found = self._find(room_id, sender_id, client_message_id)
        if found is not None and found.sequence < self._trims.get(room_id, 0):
            return None  # removed earlier in this group
        return found

    def _find(self, room_id: str, sender_id: str, client_message_id: str) -> Stored | None:
        looked_for = client_message_id in self._looked_for
        if looked_for and not self._found:
            return None  # as for nearly every message of a large group
        number = self._number(room_id)
        if number is None:
            return None
        if looked_for:
            return self._found.get((number, sender_id, client_message_id))
        return self._reads.sent(number, sender_id, client_message_id)

    def cursor(self, room_id: str, user_id: str, consumer_id: str) -> Cursor:
        """See ``View``."""
        key = (room_id, user_id, consumer_id)
        try:
            return self._cursors[key]
        except KeyError:
            number = self._number(room_id)
            found = Cursor() if number is None else self._reads.cursor(number, user_id, consumer_id)
            self._cursors[key] = found
            return found

    def aged(self, room_id: str, before_us: int, most: int) -> int:
        """See ``View``. What this group wrote is young."""
        room = self.room(room_id)
        number = self._number(room_id)
        if room is None or number is None:
            return 0
        return self._reads.aged(number, room.first, before_us, most)

    def user(self, user_id: str) -> User | None:
        """See ``View``."""
        try:
            return self._users[user_id]
        except KeyError:
            found = self._users[user_id] = self._reads.user(user_id)
            return found

    # What decide() answers.

    def apply(self, effect: effects.Effect) -> None:
        """Takes one effect over, as if it were committed."""
        if isinstance(effect, effects.Append):
            self._append(effect)
        elif isinstance(effect, effects.SetCursor):
            key = (effect.room_id, effect.user_id, effect.consumer_id)
            self._cursors[key] = self._set_cursors[key] = effect.cursor
        elif isinstance(effect, effects.SetMembership):
            member = (effect.membership.room_id, effect.membership.user_id)
            self._memberships[member] = self._set_memberships[member] = effect.membership
        elif isinstance(effect, effects.SetUser):
            self.position += 1
            self._users[effect.user.user_id] = self._set_users[effect.user.user_id] = effect.user
        elif isinstance(effect, effects.SetRoom):
            self._rooms[effect.room.room_id] = effect.room
            self._changed_rooms.add(effect.room.room_id)
        elif isinstance(effect, effects.Trim):
            self._trim(effect)
        elif isinstance(effect, effects.EndMemberships):
            self._end_memberships(effect)
        else:
            self.last_room += 1
            room_id = effect.room.room_id
            self._numbers[room_id] = self.last_room
            self._rooms[room_id] = effect.room
            self._new_rooms.append(room_id)

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._entries or self._set_cursors or self._set_users or self._trims)

    def write(self, connection: sqlite3.Connection) -> None:
        """Writes everything, inside the caller's transaction."""
        many = connection.executemany
        if self._set_users:
            many("INSERT OR REPLACE INTO user VALUES (?, ?, ?)", self._set_users.values())
        if self._new_rooms:
            new = set(self._new_rooms)
            rooms = [(self._numbers[room_id], self.room(room_id)) for room_id in self._new_rooms]
            many(
                "INSERT INTO room VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, *room) for number, room in rooms if room is not None],
            )
        else:
            new = set()
        if self._trims:
            # Before the entries: one of them may have the client message id of one that goes.
            trims = [(self._numbers[room_id], first) for room_id, first in self._trims.items()]
            many("DELETE FROM entry WHERE room = ? AND sequence < ?", trims)
            gone = dict(trims)
            self._entries = [row for row in self._entries if row[2] >= gone.get(row[1], 0)]
        if self._entries:
            insert(connection, self._entries)
            many(
                "UPDATE room SET head = ? WHERE number = ?",
                [(head, self._numbers[room]) for room, head in self._heads.items() if room not in new],
            )
        self._write_rooms(connection, new)
        if self._set_memberships:
            many(
                "INSERT OR REPLACE INTO membership VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        m.user_id,
                        self._numbers[m.room_id],
                        m.role,
                        m.join_sequence,
                        m.join_time_us,
                        m.end_sequence,
                    )
                    for m in self._set_memberships.values()
                ],
            )
        if self._set_cursors:
            many(
                "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?)",
                [
                    (user_id, consumer_id, self._numbers[room_id], *cursor)
                    for (room_id, user_id, consumer_id), cursor in self._set_cursors.items()
                ],
            )
        connection.execute("UPDATE meta SET value = ? WHERE key = 'position'", (self.position,))

    def _write_rooms(self, connection: sqlite3.Connection, new: set[str]) -> None:
        """What control changed: few of many groups have any of it."""
        for room_id in self._changed_rooms | self._trims.keys():
            room = self._rooms[room_id]
            if room is None or room_id in new:
                continue
            connection.execute(
                "UPDATE room SET display_name = ?, entry = ?, etag = ?, first = ?, deleted = ?, max_age_us = ?,"
                " max_entries = ? WHERE number = ?",
                (
                    room.display_name,
                    room.entry,
                    room.etag,
                    room.first,
                    room.deleted,
                    room.max_age_us,
                    room.max_entries,
                    self._numbers[room_id],
                ),
            )
        for room_id, sequence in self._ended_rooms.items():
            connection.execute(
                "UPDATE membership SET end_sequence = ? WHERE room = ? AND end_sequence = 0",
                (sequence, self._numbers[room_id]),
            )

    def fresh(self) -> dict[int, list[Row]]:
        """What was written to each room, by its number: as it would be read back. Nothing when that is much."""
        if sum(len(row[6]) for row in self._entries) > PAGE_BYTES:
            return {}
        fresh: dict[int, list[Row]] = {}
        for _, number, sequence, kind, actor_id, _, body, crc in self._entries:
            fresh.setdefault(number, []).append(Row(sequence, kind, actor_id, body, crc))
        return fresh

    def news(self) -> Group:
        """What those who wait must know once it is committed."""
        return Group(
            self.position,
            self._heads,
            tuple(self._set_memberships),
            tuple((*key, cursor.acked) for key, cursor in self._set_cursors.items()),
        )

    def _append(self, effect: effects.Append) -> None:
        # This runs once for every message.
        room_id, sequence, kind, actor_id, _, content, _, client_id = effect
        if kind is Kind.MESSAGE:
            number, body = _MESSAGE, self._encoder.encode(effect)
        else:
            number, body = kind.value, content
        self.position += 1
        self._entries.append(
            (
                self.position,
                self._numbers[room_id],
                sequence,
                number,
                actor_id,
                client_id or None,
                body,
                checksum(body),
            )
        )
        if client_id:
            self._sent[room_id, actor_id, client_id] = effect
        self._heads[room_id] = sequence

    def _trim(self, effect: effects.Trim) -> None:
        room = self._rooms[effect.room_id]
        assert room is not None, "decide() looked at the room"
        self._rooms[effect.room_id] = room._replace(first=effect.first)
        self._trims[effect.room_id] = effect.first

    def _end_memberships(self, effect: effects.EndMemberships) -> None:
        # In the log this is one statement; only what this group knows of is changed one by one.
        self._ended_rooms[effect.room_id] = effect.sequence
        for key, membership in self._memberships.items():
            if key[0] == effect.room_id and membership is not None and membership.current:
                ended = self._memberships[key] = membership._replace(end_sequence=effect.sequence)
                if key in self._set_memberships:
                    self._set_memberships[key] = ended

    def _number(self, room_id: str) -> int | None:
        number = self._numbers.get(room_id)
        if number is None and self.room(room_id) is not None:
            number = self._numbers[room_id]
        return number

    def _counts(self, room_id: str) -> tuple[int, int]:
        if room_id in self._ended_rooms:
            return 0, 0
        number = self._number(room_id)
        members, admins = (0, 0) if number is None else self._reads.count_members(number)
        # The log counts what is committed; this group's changes come on top of it.
        for (room, user_id), now in self._set_memberships.items():
            if room != room_id or number is None:
                continue
            before = self._reads.membership(number, room_id, user_id)
            was = before is not None and before.current
            members += now.current - was
            admins += (now.current and now.role is Role.ADMIN) - (
                was and before is not None and before.role is Role.ADMIN
            )
        return members, admins
