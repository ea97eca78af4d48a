"""Sends over a real socket, one by one and in batches: stored once, in order, refused with a reason."""

import asyncio

import pytest

from chatsys.v1 import chat_pb2


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
