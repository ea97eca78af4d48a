"""What the rooms of ``decide`` share: who may do what in a room, and the small effects that recur.

Every check raises ``Refusal``. Invariant: whoever is not and never was in a room, hears the same of an existing
room, a deleted one and none.
"""

from chatsys.core.effect import Append, Effect, SetMembership, SetUser
from chatsys.core.model import Caller, Kind, Membership, Role, Room, User
from chatsys.core.outcome import MemberIs, Outcome
from chatsys.core.view import View
from chatsys.errors import Reason, Refusal

Decision = tuple[Outcome, tuple[Effect, ...]]


def member(view: View, room_id: str, user_id: str) -> tuple[Room, Membership]:
    """A room and the user's membership that goes on in it."""
    membership = belonging(view, room_id, user_id)
    room = view.room(room_id)
    assert room is not None, "who belongs to a room belongs to one that is there"
    return room, membership


def belonging(view: View, room_id: str, user_id: str) -> Membership:
    """The user's membership that goes on in a room."""
    membership = view.membership(room_id, user_id)
    if membership is not None and membership.current:
        return membership
    room = view.room(room_id)
    if room is None or membership is None:
        raise Refusal.not_a_member(room_id)
    raise outside(room, membership)


def outside(room: Room, membership: Membership | None) -> Refusal:
    """The refusal of somebody who is not a member: those who were in a room to its end may know of the end."""
    if room.deleted and membership is not None and membership.end_sequence == room.deleted:
        return Refusal.room_deleted(room.room_id)
    return Refusal.not_a_member(room.room_id)


def administered(view: View, room_id: str, caller: Caller) -> Room:
    """The room, if the caller may act as an ADMIN of it."""
    if caller.admin:
        room = view.room(room_id)
        if room is None:
            raise Refusal.not_a_member(room_id)
        if room.deleted:
            raise Refusal.room_deleted(room_id)
        return room
    room, membership = member(view, room_id, caller.user_id)
    if membership.role is not Role.ADMIN:
        raise role_required(Role.ADMIN, "only an ADMIN of the room may do this")
    return room


def not_direct(room: Room, what: str) -> None:
    """Refuses what would make a direct room something else than the conversation of two people."""
    if room.direct:
        raise Refusal(
            Reason.DIRECT_ROOM,
            f"room {room.room_id!r} is the conversation of two people: {what}",
            resource=("room", room.room_id),
        )


def keep_an_admin(view: View, room: Room) -> None:
    """Refuses that the only ADMIN goes while others stay."""
    if view.admins(room.room_id) == 1 and view.members(room.room_id) > 1:
        raise Refusal(
            Reason.LAST_ADMIN,
            f"room {room.room_id!r} would be left without an ADMIN; make another member ADMIN first",
            resource=("room", room.room_id),
        )


def enter(view: View, room: Room, caller: Caller, user_id: str, role: Role, time_us: int) -> Decision:
    """A membership begins, with the room's next entry."""
    sequence = room.head + 1
    membership = Membership(room.room_id, user_id, role, sequence, time_us, end_sequence=0)
    entry = note(room.room_id, sequence, Kind.JOINED, caller, time_us, user_id)
    return MemberIs(membership), (*known(view, user_id, time_us), entry, SetMembership(membership))


def known(view: View, user_id: str, time_us: int) -> tuple[Effect, ...]:
    """Makes a user known that is not."""
    return () if view.user(user_id) is not None else (SetUser(User(user_id, "", time_us)),)


def note(room_id: str, sequence: int, kind: Kind, caller: Caller, time_us: int, user_id: str = "") -> Append:
    """An entry that is no message: who did it, and to whom."""
    return Append(room_id, sequence, kind, caller.user_id, time_us, user_id.encode(), "", "")


def role_required(role: Role, message: str) -> Refusal:
    """The refusal of a member whose role is too low."""
    return Refusal(Reason.ROLE_REQUIRED, message, metadata={"required_role": role.name})
