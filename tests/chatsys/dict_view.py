"""A log in dicts for the core, which asserts what every effect must keep, and short ways to write entries."""

import itertools
from typing import get_args

from chatsys.core import decide
from chatsys.core import effect as effects
from chatsys.core import entry as entries
from chatsys.core.model import Caller, Cursor, Entry, History, Kind, Membership, Role, Room, Stored, User
from chatsys.errors import Refusal


class DictView:
    """A log in dicts."""

    def __init__(self):
        self.rooms: dict[str, Room] = {}
        self.people: dict[str, User] = {}
        self.belongs: dict[tuple[str, str], Membership] = {}
        self.cursors: dict[tuple[str, str, str], Cursor] = {}
        self.log: list[effects.Append] = []

    def room(self, room_id):
        return self.rooms.get(room_id)

    def head(self, room_id):
        return self.rooms[room_id].head

    def membership(self, room_id, user_id):
        return self.belongs.get((room_id, user_id))

    def members(self, room_id):
        return sum(m.current for (room, _), m in self.belongs.items() if room == room_id)

    def admins(self, room_id):
        return sum(
            m.current and m.role is Role.ADMIN for (room, _), m in self.belongs.items() if room == room_id
        )

    def sent(self, room_id, sender_id, client_message_id):
        for each in self.log:
            if (each.room_id, each.actor_id, each.client_message_id) == (
                room_id,
                sender_id,
                client_message_id,
            ):
                return Stored(each.sequence, each.time_us, each.content, each.content_type)
        return None

    def cursor(self, room_id, user_id, consumer_id):
        return self.cursors.get((room_id, user_id, consumer_id), Cursor())

    def user(self, user_id):
        return self.people.get(user_id)

    def aged(self, room_id, before_us, most):
        last = self.rooms[room_id].first - 1
        messages = (e for e in self.log if e.room_id == room_id and e.kind is Kind.MESSAGE)
        for each in itertools.islice(messages, most):
            if each.time_us >= before_us:
                break
            last = each.sequence
        return last

    def play(self, entry):
        outcome, changes = decide(self, entry)
        assert not (isinstance(outcome, Refusal) and changes), "a refusal has no effects"
        for each in changes:
            self.apply(each)
        return outcome

    def apply(self, each):
        assert isinstance(each, get_args(effects.Effect))
        if isinstance(each, effects.NewRoom):
            assert each.room.room_id not in self.rooms
            self.rooms[each.room.room_id] = each.room
        elif isinstance(each, effects.Append):
            room = self.rooms[each.room_id]
            assert each.sequence == room.head + 1, "sequences are dense"
            self.rooms[each.room_id] = room._replace(head=each.sequence)
            self.log.append(each)
        elif isinstance(each, effects.SetMembership):
            self.belongs[each.membership.room_id, each.membership.user_id] = each.membership
        elif isinstance(each, effects.SetUser):
            self.people[each.user.user_id] = each.user
        elif isinstance(each, effects.SetRoom):
            assert each.room.head == self.rooms[each.room.room_id].head, "an entry moved the head before"
            self.rooms[each.room.room_id] = each.room
        elif isinstance(each, effects.EndMemberships):
            for member, membership in self.belongs.items():
                if member[0] == each.room_id and membership.current:
                    self.belongs[member] = membership._replace(end_sequence=each.sequence)
        elif isinstance(each, effects.Trim):
            room = self.rooms[each.room_id]
            assert room.first < each.first <= room.head + 1, (
                "the old end moves forward, and no further than the log"
            )
            self.rooms[each.room_id] = room._replace(first=each.first)
            self.log = [e for e in self.log if e.room_id != each.room_id or e.sequence >= each.first]
        else:
            key = (each.room_id, each.user_id, each.consumer_id)
            before = self.cursors.get(key, Cursor())
            assert each.cursor != before, "a cursor that is set moves"
            assert each.cursor.acked >= before.acked, "cursors only grow"
            assert each.cursor.settled >= before.settled, "cursors only grow"
            self.cursors[key] = each.cursor


def user(name, *, admin=False):
    return Caller(name, admin=admin)


def creation(room="r", members=("alice", "bob"), *, admins=(), by=None, **fields):
    roles = dict.fromkeys(members, Role.WRITER) | dict.fromkeys(admins, Role.ADMIN)
    values = {
        "caller": by or user("root", admin=True),
        "time_us": 1,
        "room_id": room,
        "display_name": "",
        "history": History.SINCE_JOIN,
        "entry": Entry.INVITE,
        "members": tuple(sorted(roles.items())),
        "exclude_caller": True,
        "request_id": "",
    }
    return entries.CreateRoom(**{**values, **fields})


def send(sender, text, client_id="", room="r"):
    return entries.Send(sender, 2, room, text.encode(), "", client_id)


def reason(outcome):
    assert isinstance(outcome, Refusal), outcome
    return outcome.reason
