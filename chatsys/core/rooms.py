"""The life of a room: made, changed, cut at its old end, ended. Part of ``decide``.

Invariants: an id is given out once; the etag changes with every change of what an admin can set; what is stored
of a room is one range of sequences, from ``first`` to ``head``.
"""

import hashlib

from chatsys.core import entry as entries
from chatsys.core.effect import Effect, EndMemberships, NewRoom, SetMembership, SetRoom, Trim
from chatsys.core.model import Caller, Entry, History, Kind, Membership, Role, Room
from chatsys.core.outcome import Gone, RoomIs, RoomMade, Trimmed
from chatsys.core.rules import Decision, administered, enter, known, not_direct, note
from chatsys.core.view import View
from chatsys.errors import Reason, Refusal


def direct_room_id(one: str, other: str) -> str:
    """The id of the conversation of two users, the same for both of them and for ever: ids are stored."""
    names = "\n".join(sorted((one, other)))  # no user id holds a line break
    return f"dm-{hashlib.sha256(names.encode()).hexdigest()[:40]}"


def etag(sequence: int, time_us: int) -> str:
    """The version of a room whose settings were written by this entry.

    The time is in it, so that after a restore from a backup the same sequence is not taken for the same change.
    """
    return f"{sequence:x}-{time_us:x}"


def create(view: View, entry: entries.CreateRoom) -> Decision:
    """A room is made, with its first members, in one entry."""
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
            if existing.deleted:
                raise Refusal.room_deleted(entry.room_id)
            return RoomMade(existing), ()
        raise Refusal(
            Reason.ROOM_EXISTS,
            f"room id {entry.room_id!r} is taken; choose another",
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
        etag=etag(1, entry.time_us),
        max_age_us=entry.max_age_us,
        max_entries=entry.max_entries,
    )
    return _made(view, room, entry.caller, entry.members)


def open_direct(view: View, entry: entries.OpenDirect) -> Decision:
    """The conversation of two users is there, and both are in it."""
    both = sorted((entry.caller.user_id, entry.user_id))
    room_id = direct_room_id(*both)
    room = view.room(room_id)
    if room is None:
        fresh = Room(
            room_id=room_id,
            display_name="",
            history=History.WHOLE_ROOM,
            entry=Entry.INVITE,
            head=0,
            create_time_us=entry.time_us,
            creator_id=entry.caller.user_id,
            request="",
            etag=etag(1, entry.time_us),
            max_age_us=entry.max_age_us,
            max_entries=entry.max_entries,
            direct=True,
        )
        return _made(view, fresh, entry.caller, tuple((user_id, Role.WRITER) for user_id in both))
    effects: list[Effect] = []
    for user_id in both:
        membership = view.membership(room_id, user_id)
        if membership is None or not membership.current:
            effects += enter(view, room, entry.caller, user_id, Role.WRITER, entry.time_us)[1]
            room = room._replace(head=room.head + 1)
    return RoomMade(room), tuple(effects)


def update(view: View, entry: entries.Update) -> Decision:
    """An admin changes settings."""
    room = administered(view, entry.room_id, entry.caller)
    _same_version(room, entry.etag)
    changed = room
    if entry.display_name is not None:
        changed = changed._replace(display_name=entry.display_name)
    if entry.entry is not None:
        if entry.entry is not Entry.INVITE:
            not_direct(room, "nobody else may enter it")
        changed = changed._replace(entry=entry.entry)
    if entry.retention is not None:
        age, number = entry.retention
        changed = changed._replace(max_age_us=age, max_entries=number)
    if changed == room:
        return RoomIs(room), ()
    sequence = room.head + 1
    changed = changed._replace(head=sequence, etag=etag(sequence, entry.time_us))
    change = note(room.room_id, sequence, Kind.UPDATED, entry.caller, entry.time_us)
    return RoomIs(changed), (change, SetRoom(changed))


def delete(view: View, entry: entries.Delete) -> Decision:
    """An admin ends a room; an ADMIN of it may say so again."""
    found = view.room(entry.room_id)
    if found is not None and found.deleted and _ended_as_admin(view, found, entry.caller):
        return Gone(), ()
    room = administered(view, entry.room_id, entry.caller)
    not_direct(room, "it stays, empty, when both have left")
    _same_version(room, entry.etag)
    sequence = room.head + 1
    end = note(room.room_id, sequence, Kind.DELETED, entry.caller, entry.time_us)
    ended = room._replace(head=sequence, deleted=sequence)
    return Gone(), (end, SetRoom(ended), EndMemberships(room.room_id, sequence))


def trim(view: View, entry: entries.Trim) -> Decision:
    """What need not be kept is removed from the old end, at most ``most`` entries."""
    room = view.room(entry.room_id)
    if room is None:
        return Trimmed(0, more=False), ()
    through = room.first - 1
    if room.deleted:
        through = room.deleted - 1  # the entry that says so stays
    else:
        if room.max_entries:
            through = max(through, room.head - room.max_entries)
        if room.max_age_us:
            through = max(through, view.aged(room.room_id, entry.time_us - room.max_age_us, entry.most))
    first = min(through + 1, room.first + entry.most)
    if first == room.first:
        return Trimmed(0, more=False), ()
    # Age is looked at a piece at a time, so that a full piece may have more behind it.
    return Trimmed(first - room.first, more=first - room.first == entry.most), (Trim(room.room_id, first),)


def _made(view: View, room: Room, caller: Caller, members: tuple[tuple[str, Role], ...]) -> Decision:
    time_us = room.create_time_us
    effects: list[Effect] = [NewRoom(room), note(room.room_id, 1, Kind.CREATED, caller, time_us)]
    for user_id, role in members:
        effects += known(view, user_id, time_us)
        effects.append(SetMembership(Membership(room.room_id, user_id, role, 1, time_us, end_sequence=0)))
    return RoomMade(room._replace(head=1)), tuple(effects)


def _fingerprint(entry: entries.CreateRoom) -> str:
    """What a repeated CreateRoom is known by; empty when it cannot be repeated. It is stored: keep its form."""
    if not entry.request_id:
        return ""
    members = ",".join(f"{user_id}:{role.value}" for user_id, role in entry.members)
    settings = f"{entry.history.value} {entry.entry.value} {int(entry.exclude_caller)}"
    if entry.max_age_us or entry.max_entries:
        settings += f" {entry.max_age_us} {entry.max_entries}"
    return f"{entry.request_id} {settings} {members} {entry.display_name}"


def _ended_as_admin(view: View, room: Room, caller: Caller) -> bool:
    if caller.admin:
        return True
    membership = view.membership(room.room_id, caller.user_id)
    return (
        membership is not None and membership.role is Role.ADMIN and membership.end_sequence == room.deleted
    )


def _same_version(room: Room, wanted: str) -> None:
    if wanted and wanted != room.etag:
        raise Refusal(
            Reason.ETAG_MISMATCH,
            f"room {room.room_id!r} was changed since you read it; read it again, then decide",
            metadata={"etag": room.etag},
            resource=("room", room.room_id),
        )
