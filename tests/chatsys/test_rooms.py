"""Rooms over a real socket: settings, the end, what is kept, conversations of two, history both ways."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from chatsys.v1 import chat_pb2, room_pb2, server_pb2, types_pb2
from tests.chatsys.conftest import SERVE
from tests.chatsys.reader import Reader, pair, two


def change(room, *paths, etag="", **fields):
    wanted = types_pb2.Room(room_id=room, etag=etag, **fields)
    return room_pb2.UpdateRoomRequest(room=wanted, update_mask=FieldMask(paths=paths))


async def got(who, room):
    return (await who.GetRoom(room_pb2.GetRoomRequest(room_id=room))).room


async def keep(root, room, entries):
    """Lets a room keep so many entries, and waits until the others are gone."""
    await root.UpdateRoom(change(room, "retention", retention=types_pb2.Retention(max_entries=entries)))
    while (state := await got(root, room)).first_sequence <= state.head_sequence - entries:
        pass
    return state


def test_settings_change_with_a_version(world, room, refused):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        before = await got(bob, room)
        assert before.etag
        updated = (
            await root.UpdateRoom(change(room, "display_name", etag=before.etag, display_name="Lobby"))
        ).room
        assert (updated.display_name, updated.head_sequence) == ("Lobby", 2)
        assert await got(alice, room) == updated
        with refused("ETAG_MISMATCH") as why:
            await root.UpdateRoom(change(room, "display_name", etag=before.etag, display_name="Hall"))
        assert why[0].metadata == {"etag": updated.etag}
        opened = await root.UpdateRoom(change(room, "join_policy", join_policy=types_pb2.JOIN_POLICY_OPEN))
        assert opened.room.display_name == "Lobby", "only what the mask names"
        await as_user(f"doug-{room}").JoinRoom(room_pb2.JoinRoomRequest(room_id=room))

    world(body)


def test_what_cannot_be_updated(world, room, refused):
    async def body(as_user):
        _, _, root = await two(as_user, room)
        for request, field in (
            (change(room), "update_mask"),
            (change(room, "history_visibility", "display_name"), "update_mask"),
            (change("NO ROOM", "display_name"), "room.room_id"),
            (change(room, "display_name", display_name="x" * 129), "room.display_name"),
            (change(room, "join_policy", join_policy=9), "room.join_policy"),
            (
                change(room, "retention", retention=types_pb2.Retention(max_entries=-1)),
                "room.retention.max_entries",
            ),
            (
                change(room, "retention", retention=types_pb2.Retention(max_age=Duration(seconds=-5))),
                "room.retention.max_age",
            ),
            (  # half a second is not for good
                change(room, "retention", retention=types_pb2.Retention(max_age=Duration(nanos=500_000_000))),
                "room.retention.max_age",
            ),
        ):
            with refused("FIELD_INVALID") as why:
                await root.UpdateRoom(request)
            assert why[0].violations[0].field == field
        assert (await got(root, room)).head_sequence == 1
        with refused("NOT_A_MEMBER"):
            await root.UpdateRoom(change("no-such-room", "display_name"))

    world(body)


def test_a_deleted_room_ends_in_every_stream(world, room, refused):
    async def body(as_user):
        alice, bob, root, reader = await pair(as_user, room)
        await alice.send(room, "last words")
        await reader.until_texts(1)
        await root.DeleteRoom(room_pb2.DeleteRoomRequest(room_id=room))
        delta = (await reader.frame()).deltas[0]
        assert (delta.membership_ended, delta.through_sequence, list(delta.messages)) == (True, 3, [])
        await root.DeleteRoom(room_pb2.DeleteRoomRequest(room_id=room))
        for who in (alice, bob):
            with refused("ROOM_DELETED"):
                await who.send(room, "too late")
            assert room not in {r.room_id for r in (await who.ListRooms(room_pb2.ListRoomsRequest())).rooms}
        with refused("ROOM_DELETED"):
            await got(alice, room)
        with refused("NOT_A_MEMBER"):
            await as_user("doug").send(room, "hm")
        with refused("ROOM_EXISTS"):
            await as_user("doug").create(room)
        polled = await alice.poll()
        assert [delta.membership_ended for delta in polled.deltas] == [True]

    world(body)


def test_a_conversation_of_two(world, room, refused):
    async def body(as_user):
        ann, eve = as_user(f"ann-{room}"), as_user(f"eve-{room}")
        opened = await ann.OpenDirectRoom(room_pb2.OpenDirectRoomRequest(user_id=eve.user))
        again = await eve.OpenDirectRoom(room_pb2.OpenDirectRoomRequest(user_id=ann.user))
        assert opened.room == again.room
        assert opened.room.direct
        await ann.send(opened.room.room_id, "psst")
        polled = await eve.poll()
        assert [m.content for d in polled.deltas for m in d.messages] == [b"psst"]
        with refused("NOT_A_MEMBER"):
            await as_user(f"doug-{room}").send(opened.room.room_id, "hello?")
        with refused("FIELD_INVALID"):
            await ann.OpenDirectRoom(room_pb2.OpenDirectRoomRequest(user_id=ann.user))
        with refused("FIELD_INVALID"):
            await ann.create(opened.room.room_id)
        with refused("DIRECT_ROOM"):
            await as_user("root").add(opened.room.room_id, "third")

    world(body)


def test_the_last_admin_stays(world, room, refused):
    async def body(as_user):
        ann = as_user(f"ann-{room}")
        await ann.create(room, "bob", exclude_caller=False)
        with refused("LAST_ADMIN"):
            await ann.LeaveRoom(room_pb2.LeaveRoomRequest(room_id=room))

    world(body)


def test_a_poll_says_what_was_removed_unread(world, room, texts):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        for n in range(10):
            await alice.send(room, str(n))
        state = await keep(root, room, 4)
        assert (state.first_sequence, state.head_sequence) == (9, 12)
        (delta,) = (await bob.poll(room_ids=[room])).deltas
        assert (delta.after_sequence, delta.lost_through_sequence, delta.through_sequence) == (1, 8, 12)
        assert texts([delta]) == ["7", "8", "9"]
        (delta,) = (await bob.poll(room_ids=[room], acks=[chat_pb2.Ack(room_id=room, sequence=12)])).deltas
        assert delta.lost_through_sequence == 0

    world(body)


def test_a_slow_stream_is_told_what_was_removed_before_it(world, room):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        reader = Reader(bob.subscribe(max_unacked_messages=2))
        await reader.frame()
        for n in range(8):
            await alice.send(room, str(n))
        assert await reader.until_texts(2) == ["0", "1"]
        await keep(root, room, 3)
        await bob.ack(room, 3)
        while not any(delta.lost_through_sequence for frame in reader.frames for delta in frame.deltas):
            await reader.frame()
        (lost,) = [d for frame in reader.frames for d in frame.deltas if d.lost_through_sequence]
        assert (lost.after_sequence, lost.lost_through_sequence) == (3, 7)
        assert await reader.until_texts(4) == ["0", "1", "6", "7"]

    world(body)


def test_a_room_of_which_nothing_is_left(world, room):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        await alice.send(room, "x")
        await root.UpdateRoom(
            change(room, "retention", retention=types_pb2.Retention(max_age=Duration(seconds=1)))
        )
        while (state := await got(root, room)).first_sequence <= 2:
            pass
        (delta,) = (await bob.poll(room_ids=[room])).deltas
        assert (delta.lost_through_sequence, delta.through_sequence) == (2, state.head_sequence)
        cursors = (await bob.ListCursors(chat_pb2.ListCursorsRequest())).cursors
        assert [(c.acked_sequence, c.unread_count) for c in cursors] == [(1, 0)], "counted, not subtracted"

    world(body)


def test_history_goes_on_only_where_nothing_is_missing(world, room, refused):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        for n in range(10):
            await alice.send(room, str(n))
        page = await bob.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, page_size=3))
        await keep(root, room, 4)
        with refused("SEQUENCE_EXPIRED") as why:
            await bob.ListMessages(
                chat_pb2.ListMessagesRequest(room_id=room, page_size=3, page_token=page.next_page_token)
            )
        assert why[0].metadata == {"first_sequence": "9"}
        with refused("SEQUENCE_EXPIRED"):
            await bob.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, after_sequence=7))
        rest = await bob.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, after_sequence=8))
        assert [m.sequence for m in rest.messages] == [9, 10, 11]

    world(body)


def test_history_is_scrolled_back_in_pages(world, room, refused):
    async def body(as_user):
        alice, bob, _ = await two(as_user, room)
        for n in range(7):
            await alice.send(room, str(n))
        pages, token = [], ""
        while True:
            page = await bob.ListMessages(
                chat_pb2.ListMessagesRequest(room_id=room, page_size=3, page_token=token, before_sequence=9)
            )
            pages.append([m.sequence for m in page.messages])
            token = page.next_page_token
            if not token:
                break
        assert pages == [[6, 7, 8], [3, 4, 5], [2]]
        with refused("FIELD_INVALID"):
            await bob.ListMessages(
                chat_pb2.ListMessagesRequest(room_id=room, before_sequence=9, after_sequence=1)
            )

    world(body)


def test_unread_is_counted_when_it_is_asked_for(world, room):
    async def body(as_user):
        alice, bob, _ = await two(as_user, room)

        async def unread(who):
            return [c.unread_count for c in (await who.ListCursors(chat_pb2.ListCursorsRequest())).cursors]

        for n in range(3):
            await alice.send(room, str(n))
        await bob.send(room, "mine")
        assert (await unread(bob), await unread(alice)) == ([3], [1])
        acked = await bob.ack(room, 3)
        assert (acked.cursors[0].unread_count, await unread(bob)) == (1, [1])
        await bob.send(room, "another")
        assert await unread(bob) == [1], (
            "sending never moves the sender's cursor, own messages are never unread"
        )

    world(body)


def test_a_room_keeps_what_the_server_says_unless_somebody_asks_otherwise(serving, stubs, play):
    command = [*SERVE, "--room-max-entries", "3", "--room-max-age", "1h"]

    async def body():
        async with stubs(serving(command=command).address) as as_user:
            await made(as_user("root"), as_user("alice"))

    async def made(root, alice):
        said = types_pb2.Retention(max_entries=3, max_age=Duration(seconds=3_600))
        for room, asked, kept in (
            (types_pb2.Room(room_id="plain"), None, said),
            (types_pb2.Room(room_id="all"), types_pb2.Retention(), types_pb2.Retention()),
            (
                types_pb2.Room(room_id="some"),
                types_pb2.Retention(max_entries=9),
                types_pb2.Retention(max_entries=9),
            ),
        ):
            if asked is not None:
                room.retention.CopyFrom(asked)
            answer = await root.CreateRoom(room_pb2.CreateRoomRequest(room=room))
            assert answer.room.retention == kept
        opened = await alice.OpenDirectRoom(room_pb2.OpenDirectRoomRequest(user_id="root"))
        assert opened.room.retention == said
        limits = (await alice.GetServerInfo(server_pb2.GetServerInfoRequest())).limits
        assert (limits.room_retention, limits.send_burst, limits.max_rooms_per_user) == (said, 100, 10_000)

    play(body())
