"""``decide``: what becomes of an entry at its place in the log.

Pure: the same view and entry give the same outcome and effects, on every replica. A refusal has no effects. An
outcome without effects (a repeated send, a join by a member) leaves the log as it was.
"""

from typing import assert_never

from chatsys.core import entry as entries
from chatsys.core.effect import Append, Effect, NewRoom, SetCursor, SetMembership, SetUser
from chatsys.core.model import Caller, Entry, Kind, Membership, Role, Room, User
from chatsys.core.outcome import Acked, Gone, MemberIs, Outcome, RoomMade, Sent, UserIs
from chatsys.core.view import View
from chatsys.core.visibility import start
from chatsys.errors import Reason, Refusal

Decision = tuple[Outcome, tuple[Effect, ...]]


def decide(view: View, entry: entries.LogEntry) -> Decision:
    """Decides one entry.

    Args:
        view: The log up to here.
        entry: What was asked for; its form was checked before.

    Returns:
        What the caller is told, and what changes. A ``Refusal`` is returned, not raised.
    """
    try:
        # Written as a chain of the commonest first: this runs once for every message.
        if isinstance(entry, entries.Send):
            return _send(view, entry)
        if isinstance(entry, entries.Ack):
            return _ack(view, entry)
        if isinstance(entry, entries.CreateRoom):
            return _create(view, entry)
        if isinstance(entry, entries.Join):
            return _join(view, entry)
        if isinstance(entry, entries.Leave):
            return _leave(view, entry)
        if isinstance(entry, entries.Add):
            return _add(view, entry)
        if isinstance(entry, entries.Remove):
            return _remove(view, entry)
        if isinstance(entry, entries.PutUser):
            return _put_user(view, entry)
    except Refusal as refusal:
        return refusal, ()
    assert_never(entry)


def _send(view: View, entry: entries.Send) -> Decision:
    # An id that was stored is found before membership is checked: a retry by a sender who was removed since
    # must learn that its message is there.
    if entry.client_message_id:
        stored = view.sent(entry.room_id, entry.sender_id, entry.client_message_id)
        if stored is not None:
            if stored.content != entry.content or stored.content_type != entry.content_type:
                raise Refusal(
                    Reason.CLIENT_MESSAGE_ID_REUSED,
                    f"client_message_id {entry.client_message_id!r} was used for other content in room"
                    f" {entry.room_id!r}; a new message needs a new id",
                    metadata={"sequence": str(stored.sequence)},
                )
            return Sent(stored.sequence, stored.create_time_us, duplicate=True), ()
    room, membership = _member(view, entry.room_id, entry.sender_id)
    if membership.role < Role.WRITER:
        raise _role_required(Role.WRITER, "a reader cannot send")
    sequence = room.head + 1
    append = Append(
        entry.room_id,
        sequence,
        Kind.MESSAGE,
        entry.sender_id,
        entry.time_us,
        entry.content,
        entry.content_type,
        entry.client_message_id,
    )
    return Sent(sequence, entry.time_us, duplicate=False), (append,)


def _ack(view: View, entry: entries.Ack) -> Decision:
    effects: list[Effect] = []
    cursors: list[tuple[str, int]] = []
    for room_id, through in entry.acks:
        room = view.room(room_id)
        membership = view.membership(room_id, entry.user_id)
        if room is None or membership is None:
            continue
        acked = view.cursor(room_id, entry.user_id, entry.consumer_id)
        reach = through
        if membership.current:
            if through > room.head:
                raise beyond_head(room_id, through, room.head)
            cursors.append((room_id, max(start(room.history, membership.join_sequence, acked), through)))
        else:
            # Whoever was removed settles its ending so, and learns nothing of what came after it.
            reach = min(through, membership.end_sequence)
        if reach > acked:
            effects.append(SetCursor(room_id, entry.user_id, entry.consumer_id, reach))
    return Acked(tuple(cursors)), tuple(effects)


def _create(view: View, entry: entries.CreateRoom) -> Decision:
    if entry.exclude_caller and not entry.caller.admin:
        raise Refusal(
            Reason.ROLE_REQUIRED,
            "only a caller with the admin scope may create a room without being in it",
            metadata={"required_role": "admin scope"},
        )
    request = _fingerprint(entry)
    existing = view.room(entry.room_id)
    if existing is not None:
        if request and existing.request == request and existing.creator_id == entry.caller.user_id:
            return RoomMade(existing), ()
        raise Refusal(
            Reason.ROOM_EXISTS,
            f"room {entry.room_id!r} exists already; choose another id",
            resource=("room", entry.room_id),
        )
    room = Room(
        room_id=entry.room_id,
        display_name=entry.display_name,
        history=entry.history,
        entry=entry.entry,
        head=0,
        create_time_us=entry.time_us,
        creator_id=entry.caller.user_id,
        request=request,
    )
    effects: list[Effect] = [
        NewRoom(room),
        _note(entry.room_id, 1, Kind.CREATED, entry.caller, entry.time_us, ""),
    ]
    for user_id, role in entry.members:
        effects += _known(view, user_id, entry.time_us)
        effects.append(
            SetMembership(
                Membership(entry.room_id, user_id, role, 1, entry.time_us, end_sequence=0),
            )
        )
    return RoomMade(room._replace(head=1)), tuple(effects)


def _fingerprint(entry: entries.CreateRoom) -> str:
    """What a repeated CreateRoom is known by; empty when it cannot be repeated. It is stored: keep its form."""
    if not entry.request_id:
        return ""
    members = ",".join(f"{user_id}:{role.value}" for user_id, role in entry.members)
    settings = f"{entry.history.value} {entry.entry.value} {int(entry.exclude_caller)}"
    return f"{entry.request_id} {settings} {members} {entry.display_name}"


def _join(view: View, entry: entries.Join) -> Decision:
    user_id = entry.caller.user_id
    room = view.room(entry.room_id)
    membership = view.membership(entry.room_id, user_id)
    if room is not None and membership is not None and membership.current:
        return MemberIs(membership), ()
    if room is None or room.entry is not Entry.OPEN:
        raise Refusal.not_a_member(entry.room_id)
    return _enter(view, room, entry.caller, user_id, Role.WRITER, entry.time_us)


def _leave(view: View, entry: entries.Leave) -> Decision:
    user_id = entry.caller.user_id
    room = view.room(entry.room_id)
    membership = view.membership(entry.room_id, user_id)
    if room is None or membership is None:
        raise Refusal.not_a_member(entry.room_id)
    if not membership.current:
        return Gone(), ()
    return _depart(view, room, membership, entry.caller, entry.time_us)


def _add(view: View, entry: entries.Add) -> Decision:
    room = _administered(view, entry.room_id, entry.caller)
    membership = view.membership(entry.room_id, entry.user_id)
    if membership is None or not membership.current:
        return _enter(view, room, entry.caller, entry.user_id, entry.role, entry.time_us)
    if membership.role is entry.role:
        return MemberIs(membership), ()
    if membership.role is Role.ADMIN:
        _keep_an_admin(view, room, entry.caller)
    changed = membership._replace(role=entry.role)
    note = _note(room.room_id, room.head + 1, Kind.ROLE_CHANGED, entry.caller, entry.time_us, entry.user_id)
    return MemberIs(changed), (note, SetMembership(changed))


def _remove(view: View, entry: entries.Remove) -> Decision:
    room = _administered(view, entry.room_id, entry.caller)
    membership = view.membership(entry.room_id, entry.user_id)
    if membership is None:
        raise Refusal(
            Reason.MEMBER_NOT_FOUND,
            f"user {entry.user_id!r} was never a member of room {entry.room_id!r}",
            resource=("member", entry.user_id),
        )
    if not membership.current:
        return Gone(), ()  # a retry must be safe
    return _depart(view, room, membership, entry.caller, entry.time_us)


def _put_user(view: View, entry: entries.PutUser) -> Decision:
    known = view.user(entry.user_id)
    if known is None:
        user = User(entry.user_id, entry.display_name, entry.time_us)
        return UserIs(user), (SetUser(user),)
    if entry.new:
        raise RuntimeError(f"the new user id {entry.user_id!r} is taken")
    if known.display_name == entry.display_name:
        return UserIs(known), ()
    user = known._replace(display_name=entry.display_name)
    return UserIs(user), (SetUser(user),)


def _enter(view: View, room: Room, caller: Caller, user_id: str, role: Role, time_us: int) -> Decision:
    sequence = room.head + 1
    membership = Membership(room.room_id, user_id, role, sequence, time_us, end_sequence=0)
    note = _note(room.room_id, sequence, Kind.JOINED, caller, time_us, user_id)
    return MemberIs(membership), (*_known(view, user_id, time_us), note, SetMembership(membership))


def _depart(view: View, room: Room, membership: Membership, caller: Caller, time_us: int) -> Decision:
    if membership.role is Role.ADMIN:
        _keep_an_admin(view, room, caller)
    sequence = room.head + 1
    note = _note(room.room_id, sequence, Kind.LEFT, caller, time_us, membership.user_id)
    return Gone(), (note, SetMembership(membership._replace(end_sequence=sequence)))


def _keep_an_admin(view: View, room: Room, caller: Caller) -> None:
    # Who has the admin scope can always put another one in.
    if not caller.admin and view.admins(room.room_id) == 1 and view.members(room.room_id) > 1:
        raise Refusal(
            Reason.LAST_ADMIN,
            f"room {room.room_id!r} would be left without an ADMIN; make another member ADMIN first",
            resource=("room", room.room_id),
        )


def _known(view: View, user_id: str, time_us: int) -> tuple[Effect, ...]:
    return () if view.user(user_id) is not None else (SetUser(User(user_id, "", time_us)),)


def _note(room_id: str, sequence: int, kind: Kind, caller: Caller, time_us: int, user_id: str) -> Append:
    return Append(room_id, sequence, kind, caller.user_id, time_us, user_id.encode(), "", "")


def _member(view: View, room_id: str, user_id: str) -> tuple[Room, Membership]:
    membership = view.membership(room_id, user_id)
    room = view.room(room_id)
    if room is None or membership is None or not membership.current:
        raise Refusal.not_a_member(room_id)
    return room, membership


def _administered(view: View, room_id: str, caller: Caller) -> Room:
    """The room, if the caller may act as an ADMIN of it."""
    if caller.admin:
        room = view.room(room_id)
        if room is None:
            raise Refusal.not_a_member(room_id)
        return room
    room, membership = _member(view, room_id, caller.user_id)
    if membership.role is not Role.ADMIN:
        raise _role_required(Role.ADMIN, "only an ADMIN of the room may do this")
    return room


def beyond_head(room_id: str, through: int, head: int) -> Refusal:
    """The refusal of a sequence that does not exist yet."""
    return Refusal(
        Reason.ACK_BEYOND_HEAD,
        f"sequence {through} of room {room_id!r} does not exist yet; its newest entry is {head}",
        metadata={"head": str(head)},
        resource=("room", room_id),
    )


def _role_required(role: Role, message: str) -> Refusal:
    return Refusal(Reason.ROLE_REQUIRED, message, metadata={"required_role": role.name})
