"""Who is in a room: join, leave, add, re-role, remove. Part of ``decide``.

Every change is an entry of the room's log. Repeating what is so already is answered the same, without an entry.
"""

from chatsys.core import entry as entries
from chatsys.core.effect import SetMembership
from chatsys.core.model import Caller, Entry, Kind, Membership, Role, Room
from chatsys.core.outcome import Gone, MemberIs
from chatsys.core.rules import Decision, administered, enter, keep_an_admin, not_direct, note, outside
from chatsys.core.view import View
from chatsys.errors import Reason, Refusal


def join(view: View, entry: entries.Join) -> Decision:
    """The caller enters an open room."""
    user_id = entry.caller.user_id
    room = view.room(entry.room_id)
    membership = view.membership(entry.room_id, user_id)
    if room is not None and membership is not None and membership.current:
        return MemberIs(membership), ()
    if room is None:
        raise Refusal.not_a_member(entry.room_id)
    if room.deleted or room.entry is not Entry.OPEN:
        raise outside(room, membership)
    return enter(view, room, entry.caller, user_id, Role.WRITER, entry.time_us)


def leave(view: View, entry: entries.Leave) -> Decision:
    """The caller goes. The admin scope does not help here: it acts on rooms, and this is about oneself."""
    user_id = entry.caller.user_id
    room = view.room(entry.room_id)
    membership = view.membership(entry.room_id, user_id)
    if room is None or membership is None:
        raise Refusal.not_a_member(entry.room_id)
    if not membership.current:
        return Gone(), ()
    if membership.role is Role.ADMIN:
        keep_an_admin(view, room)
    return _depart(room, membership, entry.caller, entry.time_us)


def add(view: View, entry: entries.Add) -> Decision:
    """An admin adds or re-roles a user."""
    room = administered(view, entry.room_id, entry.caller)
    not_direct(room, "nobody is added to it and its roles stay")
    membership = view.membership(entry.room_id, entry.user_id)
    if membership is None or not membership.current:
        return enter(view, room, entry.caller, entry.user_id, entry.role, entry.time_us)
    if membership.role is entry.role:
        return MemberIs(membership), ()
    if membership.role is Role.ADMIN and not entry.caller.admin:
        keep_an_admin(view, room)
    changed = membership._replace(role=entry.role)
    change = note(room.room_id, room.head + 1, Kind.ROLE_CHANGED, entry.caller, entry.time_us, entry.user_id)
    return MemberIs(changed), (change, SetMembership(changed))


def remove(view: View, entry: entries.Remove) -> Decision:
    """An admin removes a user."""
    room = administered(view, entry.room_id, entry.caller)
    not_direct(room, "nobody is removed from it; each may leave")
    membership = view.membership(entry.room_id, entry.user_id)
    if membership is None:
        raise Refusal(
            Reason.MEMBER_NOT_FOUND,
            f"user {entry.user_id!r} was never a member of room {entry.room_id!r}",
            resource=("member", entry.user_id),
        )
    if not membership.current:
        return Gone(), ()  # a retry must be safe
    # Who has the admin scope can always put another ADMIN in.
    if membership.role is Role.ADMIN and not entry.caller.admin:
        keep_an_admin(view, room)
    return _depart(room, membership, entry.caller, entry.time_us)


def _depart(room: Room, membership: Membership, caller: Caller, time_us: int) -> Decision:
    sequence = room.head + 1
    entry = note(room.room_id, sequence, Kind.LEFT, caller, time_us, membership.user_id)
    return Gone(), (entry, SetMembership(membership._replace(end_sequence=sequence)))
