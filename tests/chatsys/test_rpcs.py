"""The server, its users and its rooms over a real socket: every unary method, and how it refuses."""

import grpc
import pytest
from google.protobuf import duration_pb2

from chatsys.core import position
from chatsys.v1 import chat_pb2, room_pb2, server_pb2, types_pb2, user_pb2


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
        refused = as_user("alice").SendMessage(chat_pb2.SendMessageRequest(room_id=room))
        with pytest.raises(grpc.aio.AioRpcError):
            await refused
        assert expected <= set(await refused.initial_metadata())

    world(body)


def test_what_is_called_often_says_at_its_end_which_server_it_is(served, world, room):
    async def body(as_user):
        expected = {("chatsys-instance", served.ready["instance_id"]), ("chatsys-run", "run-of-tests")}
        alice = as_user("alice")
        await alice.create(room, "alice")
        sent = alice.SendMessage(chat_pb2.SendMessageRequest(room_id=room, content=b"hello"))
        await sent
        acked = alice.AckMessages(chat_pb2.AckMessagesRequest(acks=[chat_pb2.Ack(room_id=room, sequence=1)]))
        await acked
        for call in (sent, acked):
            assert expected <= set(await call.trailing_metadata())

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
        assert not info.unimplemented_methods
        known = await as_user("alice").GetServerInfo(server_pb2.GetServerInfoRequest())
        assert position.decode(known.position, "position")[0] == info.log_epoch

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
            await as_user("bob").GetUser(user_pb2.GetUserRequest(user_id="ana-1"))
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
            shout: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
            shout = channel.unary_unary("/chatsys.v1.ChatService/Shout")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await shout(b"")
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED

    play(body())
