"""What the fuzzing of `test_fuzz.py` has found, each as one plain example."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import cast

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chatsys.client import Client
from chatsys.errors.refusal import MAX_SENTENCE
from chatsys.v1 import chat_pb2, room_pb2, types_pb2
from chatsys.v1.types_pb2 import Message
from tests.chatsys.fuzz import port
from tests.chatsys.fuzz.peer import WITHIN, Peer

USER = (("chatsys-user", "alice"),)
STREAMS = {
    "chatsys.v1.ChatService/SendMessage": (False, False),
    "chatsys.v1.ChatService/SendMessages": (True, True),
    "chatsys.v1.ChatService/Subscribe": (False, True),
    "chatsys.v1.UserService/RegisterUser": (False, False),
    "grpc.health.v1.Health/Check": (False, False),
    "grpc.health.v1.Health/Watch": (False, True),
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": (True, True),
}


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x02\xff\xfe"], ids=["no message", "not UTF-8"])
def test_bytes_that_are_no_message_are_an_invalid_request(served, play, path, data):
    async def body():
        peer = Peer(served.address)
        answer = await peer.raw(f"/{path}", [data], USER, WITHIN, STREAMS[path])
        await peer.close()
        assert answer.code == "INVALID_ARGUMENT", answer
        assert answer.refusal is not None
        assert answer.refusal.reason == "FIELD_INVALID"

    play(body())


def test_a_poll_that_is_refused_acknowledges_nothing(world, room, refused):
    async def body(as_user):
        await as_user("root").create(room, "alice", "bob")
        sent = await as_user("alice").send(room, "hi")
        acks = [chat_pb2.Ack(room_id=room, sequence=2)]
        bob = as_user("bob")
        with refused("NOT_A_MEMBER"):
            await bob.poll(acks=acks, room_ids=[room, f"{room}-other"])
        with refused("ACK_BEYOND_HEAD"):
            await bob.poll(acks=acks, resume_after=[chat_pb2.Ack(room_id=room, sequence=9)])
        found = (await bob.ListCursors(chat_pb2.ListCursorsRequest())).cursors
        assert [(each.room_id, each.acked_sequence) for each in found] == [(room, 1)]
        poll = await bob.poll(acks=acks, min_positions=[sent.position])
        assert not any(delta.messages for delta in poll.deltas)

    world(body)


@pytest.mark.parametrize(
    "path", ["", "A" * 100_000, "\U0001f600" * 30_000, "\0" * 50], ids=["0", "A", "4 bytes", "NUL"]
)
def test_what_a_caller_says_does_not_burst_the_answer(world, room, refused, path):
    async def body(as_user):
        alice = as_user("alice")
        await alice.create(room, exclude_caller=False)
        wanted = types_pb2.Room(room_id=room)
        with refused("FIELD_INVALID") as why:
            await alice.UpdateRoom(
                room_pb2.UpdateRoomRequest(room=wanted, update_mask=FieldMask(paths=[path, "display_name"]))
            )
        assert why[0].message.endswith("it names some of display_name, join_policy, retention")
        assert len(why[0].message) < MAX_SENTENCE

    world(body)


def test_a_path_that_is_not_utf_8_ends_no_server(serving, play, room):
    served = serving()

    def attack():
        with socket.create_connection(("127.0.0.1", served.ready["port"])) as attacker:
            attacker.sendall(port.OPEN + port.call(b"/\xff\xfe", (), b"\0\0\0\0\0"))
            while attacker.recv(4_096):
                pass  # until the server hangs up

    async def body():
        async with Client(served.address, user="alice") as alice, Client(served.address, user="bob") as bob:
            await alice.create_room(room, members=["bob"])
            heard = cast("AsyncGenerator[Message, None]", bob.receive())
            for text in ("one", "two", "three"):
                await alice.send(room, text, within=20)
                assert (await anext(heard)).content.decode() == text
                await asyncio.to_thread(attack)
                await alice.server_info(within=20)
            await heard.aclose()

    play(body())
    assert served.process.poll() is None
    assert served.stop() == 0
