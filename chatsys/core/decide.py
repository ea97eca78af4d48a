"""``decide``: what becomes of an entry at its place in the log.

Pure: the same view and entry give the same outcome and effects, on every replica. A refusal has no effects. An
outcome without effects (a repeated send, a join by a member) leaves the log as it was. Messages and cursors are
decided here, rooms in ``rooms``, who is in them in ``members``; what these share is in ``rules``.
"""

from typing import assert_never

from chatsys.core import entry as entries
from chatsys.core import members, rooms
from chatsys.core.effect import Append, Effect, SetCursor, SetUser
from chatsys.core.model import Cursor, Kind, Role, User
from chatsys.core.outcome import Acked, Sent, UserIs
from chatsys.core.rules import Decision, belonging, role_required
from chatsys.core.view import View
from chatsys.core.visibility import start
from chatsys.errors import Reason, Refusal


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
        if isinstance(entry, entries.Join):
            return members.join(view, entry)
        if isinstance(entry, entries.Leave):
            return members.leave(view, entry)
        if isinstance(entry, entries.Add):
            return members.add(view, entry)
        if isinstance(entry, entries.Remove):
            return members.remove(view, entry)
        if isinstance(entry, entries.CreateRoom):
            return rooms.create(view, entry)
        if isinstance(entry, entries.OpenDirect):
            return rooms.open_direct(view, entry)
        if isinstance(entry, entries.Update):
            return rooms.update(view, entry)
        if isinstance(entry, entries.Delete):
            return rooms.delete(view, entry)
        if isinstance(entry, entries.Trim):
            return rooms.trim(view, entry)
        if isinstance(entry, entries.PutUser):
            return _put_user(view, entry)
    except Refusal as refusal:
        return refusal.bare(), ()
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
    if belonging(view, entry.room_id, entry.sender_id).role < Role.WRITER:
        raise role_required(Role.WRITER, "a reader cannot send")
    sequence = view.head(entry.room_id) + 1
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
    heard = dict(entry.ended)
    for room_id, through in entry.acks:
        room = view.room(room_id)
        membership = view.membership(room_id, entry.user_id)
        if room is None or membership is None:
            continue
        cursor = view.cursor(room_id, entry.user_id, entry.consumer_id)
        acked, settled = cursor
        if membership.current:
            if through > room.head:
                raise beyond_head(room_id, through, room.head)
            cursors.append((room_id, max(start(room.history, membership.join_sequence, acked), through)))
            acked = max(acked, through)
        else:
            # Whoever was removed learns nothing of what came after it, and has not read what it had not read
            # before: to who joins a WHOLE_ROOM again that is visible again.
            end = membership.end_sequence
            if through < end:
                acked = max(acked, through)
            if max(through, heard.get(room_id, 0)) >= end:
                settled = end
        moved = Cursor(acked, settled)
        if moved != cursor:
            effects.append(SetCursor(room_id, entry.user_id, entry.consumer_id, moved))
    return Acked(tuple(cursors)), tuple(effects)


def _put_user(view: View, entry: entries.PutUser) -> Decision:
    known = view.user(entry.user_id)
    if known is None:
        user = User(entry.user_id, entry.display_name or "", entry.time_us)
        return UserIs(user), (SetUser(user),)
    if entry.new:
        raise RuntimeError(f"the new user id {entry.user_id!r} is taken")
    if entry.display_name is None or known.display_name == entry.display_name:
        return UserIs(known), ()
    user = known._replace(display_name=entry.display_name)
    return UserIs(user), (SetUser(user),)


def beyond_head(room_id: str, through: int, head: int) -> Refusal:
    """The refusal of a sequence that does not exist yet."""
    return Refusal(
        Reason.ACK_BEYOND_HEAD,
        f"sequence {through} of room {room_id!r} does not exist yet; its newest entry is {head}",
        metadata={"head": str(head)},
        resource=("room", room_id),
    )
