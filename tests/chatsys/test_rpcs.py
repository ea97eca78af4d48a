"""Every unary method over a real socket: what it answers, and how it refuses."""

import asyncio

import grpc
import pytest
from google.protobuf import duration_pb2

from chatsys.core import position
from chatsys.v1 import admin_pb2, chat_pb2, room_pb2, server_pb2, types_pb2, user_pb2


@pytest.fixture
def world(served, stubs, play):
    """Runs a test body with ``as_user``: user id -> calls of that user."""

    def run(body):
        async def connected():
            async with stubs(served.address) as as_user:
                await body(as_user)

        play(connected())

    return run


def test_every_answer_says_which_server_it_is(served, world, room):
    async def body(as_user):
        expected = {("chatsys-instance", served.ready["instance_id"]), ("chatsys-run", "run-of-tests")}
        good = as_user("alice").GetServerInfo(server_pb2.GetServerInfoRequest())
        await good
        bad = as_user("alice").GetRoom(room_pb2.GetRoomRequest(room_id=room))
        with pytest.raises(grpc.aio.AioRpcError):
            await bad
        stream = as_user("alice").subscribe()
        await stream.read()
        for call in (good, bad, stream):
            assert expected <= set(await call.initial_metadata())
        stream.cancel()

    world(body)


def test_what_the_server_says_of_itself(served, world):
    async def body(as_user):
        info = await as_user(None).GetServerInfo(server_pb2.GetServerInfoRequest())
        assert info.instance_id == served.ready["instance_id"]
        assert info.log_epoch == served.ready["log_epoch"]
        assert (info.store, info.durability) == ("sqlite", server_pb2.DURABILITY_POWER_LOSS)
        assert (info.auth_required, info.registration_open) == (False, True)
        assert info.position == ""
        assert info.limits.max_content_bytes == 65_536
        assert info.limits.max_poll_wait == duration_pb2.Duration(seconds=30)
        assert list(info.unimplemented_methods) == [
            "chatsys.v1.AdminService/CreateToken",
            "chatsys.v1.AdminService/DrainServer",
            "chatsys.v1.AdminService/ExplainDelivery",
            "chatsys.v1.AdminService/RevokeTokens",
            "chatsys.v1.RoomService/DeleteRoom",
            "chatsys.v1.RoomService/UpdateRoom",
        ]
        known = await as_user("alice").GetServerInfo(server_pb2.GetServerInfoRequest())
        assert position.decode(known.position, "position")[0] == info.log_epoch

    world(body)


def test_what_is_not_built_says_so(world, refused):
    async def body(as_user):
        alice = as_user("alice")
        with refused("NOT_IMPLEMENTED") as why:
            await alice.DeleteRoom(room_pb2.DeleteRoomRequest(room_id="r"))
        assert why[0].metadata == {"method": "chatsys.v1.RoomService/DeleteRoom"}
        with refused("NOT_IMPLEMENTED"):
            await alice.DrainServer(admin_pb2.DrainServerRequest())

    world(body)


def test_who_calls(world, refused):
    async def body(as_user):
        with refused("TOKEN_MISSING"):
            await as_user(None).poll()
        with refused("TOKEN_INVALID"):
            await as_user("not a user id").poll()

    world(body)


def test_two_people_of_one_name(world, room):
    async def body(as_user):
        request = user_pb2.RegisterUserRequest(display_name="Luis ¡hola!")
        first = await as_user(None).RegisterUser(request)
        second = await as_user(None).RegisterUser(request)
        assert first.user.user_id != second.user.user_id
        assert first.user.display_name == second.user.display_name == "Luis ¡hola!"
        read = await as_user(second.user.user_id).GetUser(
            user_pb2.GetUserRequest(min_positions=[second.position])
        )
        assert read.user == second.user
        await as_user("root").create(room, first.user.user_id, second.user.user_id)
        members = await as_user(first.user.user_id).ListMembers(room_pb2.ListMembersRequest(room_id=room))
        assert [each.display_name for each in members.members] == ["Luis ¡hola!"] * 2

    world(body)


def test_a_caller_may_say_its_name(world, refused):
    async def body(as_user):
        ana = as_user("ana-1")
        with refused("USER_NOT_FOUND"):
            await ana.GetUser(user_pb2.GetUserRequest())
        ana.metadata += (("chatsys-display-name-bin", "Añá".encode()),)
        await ana.poll()
        found = await as_user("bob").GetUser(user_pb2.GetUserRequest(user_id="ana-1"))
        assert found.user.display_name == "Añá"

    world(body)


def test_rooms(world, room, refused):
    async def body(as_user):
        alice, bob, doug = as_user("alice"), as_user("bob"), as_user("doug")
        made = await alice.create(room, "bob", exclude_caller=False, request_id="q")
        assert made.room.head_sequence == made.room.first_sequence == 1
        assert made.room.history_visibility == types_pb2.HISTORY_VISIBILITY_SINCE_JOIN
        assert made.room.join_policy == types_pb2.JOIN_POLICY_INVITE
        again = await alice.create(room, "bob", exclude_caller=False, request_id="q")
        assert again.room == made.room
        with refused("ROOM_EXISTS"):
            await bob.create(room)
        got = await bob.GetRoom(room_pb2.GetRoomRequest(room_id=room, min_positions=[made.position]))
        assert got.room == made.room
        members = (await bob.ListMembers(room_pb2.ListMembersRequest(room_id=room))).members
        assert [(m.user_id, m.role, m.join_sequence) for m in members] == [("alice", 3, 1), ("bob", 2, 1)]
        with refused("NOT_A_MEMBER"):
            await doug.JoinRoom(room_pb2.JoinRoomRequest(room_id=room))
        added = await alice.AddMember(
            room_pb2.AddMemberRequest(room_id=room, user_id="doug", role=types_pb2.MEMBER_ROLE_READER)
        )
        assert (added.member.join_sequence, added.member.role) == (2, 1)
        with refused("ROLE_REQUIRED"):
            await doug.send(room, "hi")
        await doug.LeaveRoom(room_pb2.LeaveRoomRequest(room_id=room))
        await doug.LeaveRoom(room_pb2.LeaveRoomRequest(room_id=room))
        removed = await alice.kick(room, "bob")
        with refused("NOT_A_MEMBER"):
            await bob.poll(room_ids=[room], min_positions=[removed.position])
        with refused("MEMBER_NOT_FOUND"):
            await alice.kick(room, "never-there")

    world(body)


def test_open_rooms(world, room):
    async def body(as_user):
        await as_user("root").create(room, entry_open=True)
        doug = as_user(f"doug-{room}")
        everything = room_pb2.ListRoomsRequest(include_open=True, page_size=1000)
        assert room in [each.room_id for each in (await doug.ListRooms(everything)).rooms]
        assert not (await doug.ListRooms(room_pb2.ListRoomsRequest())).rooms
        joined = await doug.JoinRoom(room_pb2.JoinRoomRequest(room_id=room))
        again = await doug.JoinRoom(room_pb2.JoinRoomRequest(room_id=room))
        assert joined.member == again.member
        assert [each.room_id for each in (await doug.ListRooms(room_pb2.ListRoomsRequest())).rooms] == [room]

    world(body)


def test_lists_come_in_pages(world, room):
    async def body(as_user):
        root, me = as_user("root"), as_user(f"me-{room}")
        for number in range(5):
            await root.create(f"{room}-{number}", me.user, f"x{number}-{room}")
        seen, token = [], ""
        while True:
            page = await me.ListRooms(room_pb2.ListRoomsRequest(page_size=2, page_token=token))
            seen += [each.room_id for each in page.rooms]
            token = page.next_page_token
            if not token:
                break
        assert seen == [f"{room}-{number}" for number in range(5)]
        first = await me.ListMembers(room_pb2.ListMembersRequest(room_id=f"{room}-0", page_size=1))
        rest = await me.ListMembers(
            room_pb2.ListMembersRequest(room_id=f"{room}-0", page_token=first.next_page_token)
        )
        assert [m.user_id for m in (*first.members, *rest.members)] == [me.user, f"x0-{room}"]
        cursors, token = [], ""
        while True:
            page = await me.ListCursors(chat_pb2.ListCursorsRequest(page_size=2, page_token=token))
            cursors += [(each.room_id, each.acked_sequence) for each in page.cursors]
            token = page.next_page_token
            if not token:
                break
        assert cursors == [(f"{room}-{number}", 1) for number in range(5)]

    world(body)


def test_a_send_is_stored_once(world, room, refused):
    async def body(as_user):
        alice = as_user("alice")
        await as_user("root").create(room, "alice", "bob")
        first = await alice.send(room, "hi", "id-1")
        assert (first.message.sequence, first.message.sender_id, first.message.content) == (2, "alice", b"")
        again = await alice.send(room, "hi", "id-1")
        assert (again.duplicate, again.message) == (True, first.message)
        with refused("CLIENT_MESSAGE_ID_REUSED") as why:
            await alice.send(room, "ho", "id-1")
        assert why[0].metadata == {"sequence": "2"}

    world(body)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"room_id": "Not A Room"}, "FIELD_INVALID", "room_id"),
        ({"room_id": ""}, "FIELD_INVALID", "room_id"),
        ({"room_id": "x" * 64}, "FIELD_INVALID", "room_id"),
        ({"content": b""}, "FIELD_INVALID", "content"),
        ({"content": b"x" * 65_537}, "CONTENT_TOO_LARGE", "content"),
        ({"content_type": "t" * 128}, "FIELD_INVALID", "content_type"),
        ({"client_message_id": "i" * 65}, "FIELD_INVALID", "client_message_id"),
        ({"client_message_id": "with blank"}, "FIELD_INVALID", "client_message_id"),
        ({"room_id": "no-such-room"}, "NOT_A_MEMBER", None),
    ],
)
def test_a_send_that_is_wrong(world, room, refused, fields, reason, field):
    async def body(as_user):
        await as_user("root").create(room, "alice")
        good = {"room_id": room, "content": b"x", "client_message_id": "i"}
        with refused(reason) as why:
            await as_user("alice").SendMessage(chat_pb2.SendMessageRequest(**{**good, **fields}))
        assert [each.field for each in why[0].violations] == ([field] if field else [])
        if reason == "CONTENT_TOO_LARGE":
            assert why[0].metadata == {"limit": "65536", "size": "65537"}
        with refused("NOT_A_MEMBER"):
            await as_user("doug").SendMessage(chat_pb2.SendMessageRequest(**good))

    world(body)


def test_poll_brings_what_is_not_acknowledged(world, room, texts):
    async def body(as_user):
        alice, bob = as_user(f"alice-{room}"), as_user(f"bob-{room}")
        await as_user("root").create(room, alice.user, bob.user)
        sent = [await alice.send(room, text) for text in "abc"]
        last = sent[-1].position
        got = await bob.poll(min_positions=[last])
        assert texts(got.deltas) == ["a", "b", "c"]
        assert got.caught_up
        (delta,) = got.deltas
        assert (delta.after_sequence, delta.through_sequence, delta.head_sequence) == (1, 4, 4)
        assert texts((await bob.poll()).deltas) == ["a", "b", "c"], "at least once"
        ack = chat_pb2.Ack(room_id=room, sequence=3)
        assert texts((await bob.poll(resume_after=[ack])).deltas) == ["c"]
        assert texts((await bob.poll(acks=[ack])).deltas) == ["c"]
        assert texts((await bob.poll()).deltas) == ["c"]
        assert texts((await bob.poll(consumer_id="phone")).deltas) == ["a", "b", "c"]
        assert texts((await alice.poll()).deltas) == []
        assert texts((await alice.poll(include_own=True)).deltas) == ["a", "b", "c"]
        outsider = await as_user(f"doug-{room}").poll(min_positions=[last])
        assert outsider.caught_up
        assert not outsider.deltas

    world(body)


def test_a_poll_is_cut_where_it_may_not_go_on(world, room, texts):
    async def body(as_user):
        alice, bob = as_user(f"alice-{room}"), as_user(f"bob-{room}")
        await as_user("root").create(room, alice.user, bob.user)
        for text in "abcde":
            await alice.send(room, text)
        seen = []
        acks = []
        for _ in range(3):
            got = await bob.poll(max_messages=2, acks=acks)
            seen.append((texts(got.deltas), got.caught_up))
            acks = [chat_pb2.Ack(room_id=room, sequence=got.deltas[0].through_sequence)]
        assert seen == [(["a", "b"], False), (["c", "d"], False), (["e"], True)]
        await bob.poll(acks=acks)
        empty = await bob.poll(room_ids=[room])
        (delta,) = empty.deltas
        assert (delta.after_sequence, delta.through_sequence) == (6, 6), "a room that was named is answered"

    world(body)


def test_a_long_backlog_of_ones_own_ends_caught_up(world, room, texts):
    async def body(as_user):
        alice, bob = as_user(f"alice-{room}"), as_user(f"bob-{room}")
        await as_user("root").create(room, alice.user, bob.user)
        batch = [chat_pb2.SendMessageRequest(room_id=room, content=b"own")] * 1000
        stream = alice.SendMessages()
        for _ in range(2):
            await stream.write(chat_pb2.SendMessagesRequest(requests=batch))
        await stream.done_writing()
        assert [len(answer.results) async for answer in stream] == [1000, 1000]
        await bob.send(room, "from bob")
        got = await alice.poll(max_messages=1)
        assert texts(got.deltas) == ["from bob"]
        assert got.caught_up
        got = await bob.poll(max_messages=1000)
        assert (len(texts(got.deltas)), got.caught_up) == (1000, False)

    world(body)


def test_a_poll_waits_for_a_first_message(world, room, texts):
    async def body(as_user):
        alice, bob = as_user(f"alice-{room}"), as_user(f"bob-{room}")
        await as_user("root").create(room, alice.user, bob.user)
        waiting = asyncio.ensure_future(bob.poll(wait=duration_pb2.Duration(seconds=20)))
        own = asyncio.ensure_future(alice.poll(wait=duration_pb2.Duration(nanos=200_000_000)))
        await asyncio.sleep(0)
        await alice.send(room, "hi")
        assert texts((await waiting).deltas) == ["hi"]
        alone = await own
        assert texts(alone.deltas) == []
        assert alone.caught_up
        joining = asyncio.ensure_future(as_user(f"doug-{room}").poll(wait=duration_pb2.Duration(seconds=20)))
        await as_user("root").add(room, f"doug-{room}")
        await alice.send(room, "welcome")
        assert texts((await joining).deltas) == ["welcome"]

    world(body)


def test_a_poll_that_is_wrong(served, world, room, refused):
    async def body(as_user):
        alice = as_user("alice")
        await as_user("root").create(room, "alice")
        ack = chat_pb2.Ack(room_id=room, sequence=1)
        beyond = chat_pb2.Ack(room_id=room, sequence=2)
        for fields in (
            {"consumer_id": "with blank"},
            {"acks": [ack, ack]},
            {"acks": [chat_pb2.Ack(room_id=room, sequence=-1)]},
            {"resume_after": [chat_pb2.Ack(room_id="No Room")]},
            {"room_ids": ["No Room"]},
            {"max_messages": -1},
            {"wait": duration_pb2.Duration(seconds=-1)},
            {"min_positions": ["garbage"]},
            {"min_positions": [position.encode(served.ready["log_epoch"], 1)] * 1001},
        ):
            with refused("FIELD_INVALID") as why:
                await alice.poll(**fields)
            assert why[0].violations[0].field.startswith(next(iter(fields)))
        for fields in ({"acks": [beyond]}, {"resume_after": [beyond]}):
            with refused("ACK_BEYOND_HEAD") as why:
                await alice.poll(**fields)
            assert why[0].metadata == {"head": "1"}
        with refused("NOT_A_MEMBER"):
            await alice.poll(room_ids=["no-such-room"])
        with refused("LOG_EPOCH_CHANGED"):
            await alice.poll(min_positions=["0" * 16 + ".1"])

    world(body)


def test_a_position_that_is_not_reached(served, world, refused):
    async def body(as_user):
        alice = as_user("alice")
        future = position.encode(served.ready["log_epoch"], 10**9)
        call = alice._stubs[0].Poll(
            chat_pb2.PollRequest(min_positions=[future]), metadata=alice.metadata, timeout=0.5
        )
        with refused("POSITION_NOT_REACHED"):
            await call

    world(body)


def test_acks(world, room, refused):
    async def body(as_user):
        alice, bob = as_user(f"alice-{room}"), as_user(f"bob-{room}")
        await as_user("root").create(room, alice.user, bob.user)
        for text in "abc":
            await alice.send(room, text)
        (cursor,) = (await bob.ack(room, 2)).cursors
        assert (cursor.room_id, cursor.acked_sequence, cursor.unread_count) == (room, 2, 2)
        (cursor,) = (await bob.ack(room, 1)).cursors
        assert cursor.acked_sequence == 2
        (cursor,) = (await bob.ListCursors(chat_pb2.ListCursorsRequest())).cursors
        assert (cursor.acked_sequence, cursor.unread_count) == (2, 2)
        with refused("ACK_BEYOND_HEAD") as why:
            await bob.ack(room, 5)
        assert why[0].metadata == {"head": "4"}
        assert not (await as_user("doug").ack(room, 99)).cursors
        with refused("FIELD_INVALID"):
            await bob.ack("No Room", 1)

    world(body)


def test_history(world, room, refused):
    async def body(as_user):
        alice, root = as_user("alice"), as_user("root")
        await root.create(room, "alice")
        for text in "abcde":
            last = await alice.send(room, text)
        request = chat_pb2.ListMessagesRequest(room_id=room, page_size=2, min_positions=[last.position])
        seen = []
        while True:
            page = await root.ListMessages(request)
            seen += [each.content.decode() for each in page.messages]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        assert seen == list("abcde")
        after = await root.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, after_sequence=5))
        assert [each.sequence for each in after.messages] == [6]
        with refused("FIELD_INVALID"):
            await root.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, page_token="x"))
        with refused("FIELD_INVALID"):
            await root.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, page_size=-1))
        with refused("NOT_A_MEMBER"):
            await root.ListMessages(chat_pb2.ListMessagesRequest(room_id="no-such-room"))

    world(body)


@pytest.mark.parametrize("whole", [False, True])
def test_who_joins_late_sees_what_the_room_says(world, room, texts, whole):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, whole=whole)
        await alice.send(room, "before")
        await root.add(room, bob.user)
        await alice.send(room, "after")
        expected = ["before", "after"] if whole else ["after"]
        assert texts((await bob.poll()).deltas) == expected
        await bob.ack(room, 4)
        await root.kick(room, bob.user)
        await alice.send(room, "without bob")
        await root.add(room, bob.user)
        await alice.send(room, "again")
        assert texts((await bob.poll()).deltas) == (["without bob", "again"] if whole else ["again"])

    world(body)


def test_a_membership_that_ended_is_told_until_acknowledged(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user)
        await alice.send(room, "a")
        removed = await root.kick(room, bob.user)
        await alice.send(room, "secret")
        for _ in range(2):
            got = await bob.poll(min_positions=[removed.position])
            (delta,) = got.deltas
            assert delta.membership_ended
            assert not delta.messages
            assert (delta.after_sequence, delta.through_sequence, delta.head_sequence) == (1, 3, 3)
        assert not (await bob.ack(room, 3)).cursors
        assert not (await bob.poll()).deltas

    world(body)


def test_batches_have_a_result_for_each(world, room, refused):
    async def body(as_user):
        alice = as_user("alice")
        await as_user("root").create(room, "alice")

        def message(content, room_id=room, client_id=""):
            return chat_pb2.SendMessageRequest(room_id=room_id, content=content, client_message_id=client_id)

        stream = alice.SendMessages()
        await stream.write(
            chat_pb2.SendMessagesRequest(
                requests=[
                    message(b"a", client_id="i"),
                    message(b""),
                    message(b"b", "no-such-room"),
                    message(b"c"),
                ]
            )
        )
        await stream.write(chat_pb2.SendMessagesRequest(requests=[message(b"a", client_id="i")]))
        await stream.write(chat_pb2.SendMessagesRequest())
        first, second, third = await stream.read(), await stream.read(), await stream.read()
        assert [r.response.message.sequence or r.error.reason for r in first.results] == [
            2,
            "FIELD_INVALID",
            "NOT_A_MEMBER",
            3,
        ]
        assert [(r.response.message.sequence, r.response.duplicate) for r in second.results] == [(2, True)]
        assert not third.results
        await stream.write(chat_pb2.SendMessagesRequest(requests=[message(b"x")] * 1001))
        with refused("FIELD_INVALID") as why:
            await stream.read()
            await stream
            raise AssertionError("the stream went on")
        assert why[0].violations[0].field == "requests"

    world(body)


def test_one_stream_keeps_its_order(world, room):
    async def body(as_user):
        await as_user("root").create(room, "alice", "bob")

        async def sender(user, batches):
            stream = as_user(user).SendMessages()
            for batch in range(batches):
                requests = [
                    chat_pb2.SendMessageRequest(room_id=room, content=f"{user}-{batch}-{n}".encode())
                    for n in range(20)
                ]
                await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
            await stream.done_writing()
            return [r.response.message.sequence async for answer in stream for r in answer.results]

        for sequences in await asyncio.gather(sender("alice", 30), sender("bob", 30)):
            assert len(sequences) == 600
            assert sequences == sorted(sequences)

    world(body)


def test_health_and_reflection(served, play):
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    async def body():
        async with grpc.aio.insecure_channel(served.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            call = health.Check(health_pb2.HealthCheckRequest())
            assert (await call).status == health_pb2.HealthCheckResponse.SERVING
            assert ("chatsys-instance", served.ready["instance_id"]) in set(await call.initial_metadata())
            watch = health.Watch(health_pb2.HealthCheckRequest())
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            watch.cancel()
            call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
            await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
            answer = await call.read()
            names = {each.name for each in answer.list_services_response.service}
            assert {"chatsys.v1.ChatService", "chatsys.v1.AdminService", "grpc.health.v1.Health"} <= names
            await call.done_writing()

    play(body())


def test_an_unknown_method(served, play):
    async def body():
        async with grpc.aio.insecure_channel(served.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/chatsys.v1.ChatService/Shout")(b"")
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    play(body())
