"""What the fuzzing of `test_fuzz.py` has found, each as one plain example."""

import asyncio
import socket
import struct
from collections.abc import AsyncGenerator
from typing import cast

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chatsys.client import Client
from chatsys.errors.refusal import MAX_SENTENCE
from chatsys.v1 import chat_pb2, room_pb2, types_pb2
from chatsys.v1.types_pb2 import Message
from tests.chatsys.conftest import SERVE, begin
from tests.chatsys.fuzz import port
from tests.chatsys.fuzz.peer import WITHIN, Peer, Question

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
        answer = await peer.raw(Question(f"/{path}", [data], USER, WITHIN, STREAMS[path]))
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


def test_what_grpc_itself_makes_of_a_caller_is_in_no_log(tmp_path):
    """A farewell whose length is wrong takes the call behind it for its last words, token and all."""
    words = b"authorization: Bearer secret"
    farewell = struct.pack(">I", 8 + len(words))[1:] + b"\x07\x00" + bytes(8) + b"\x00\x00\x00\x02" + words
    log = tmp_path / "log"
    with log.open("w") as errors:
        served = begin(SERVE, tmp_path / "data", errors)
    try:
        with socket.create_connection(("127.0.0.1", served.ready["port"]), timeout=WITHIN) as caller:
            caller.sendall(
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00" + bytes(4) + farewell
            )
            caller.shutdown(socket.SHUT_WR)
            while caller.recv(4096):
                pass
        assert served.stop() == 0
    finally:
        served.kill()
        assert served.process.stdout is not None
        served.process.stdout.close()
    assert "secret" not in log.read_text(errors="replace")
