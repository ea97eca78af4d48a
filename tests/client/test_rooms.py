"""Rooms by the library, against a real server: settings, conversations of two, what was removed unread."""

from __future__ import annotations

import asyncio

import pytest

from chatsys.client import AbortedError, Client, Delta, FailedPreconditionError, OutOfRangeError
from chatsys.v1.types_pb2 import JoinPolicy, Retention
from tests.client.real import real_server


def test_settings_and_the_end_of_a_room(tmp_path):
    async def main():
        async with real_server(tmp_path) as server, Client(server.target, user="alice") as alice:
            made, _ = await alice.create_room("lobby", members=["bob"], retention=Retention(max_entries=100))
            assert made.retention.max_entries == 100
            changed = await alice.update_room("lobby", etag=made.etag, display_name="Lobby")
            assert changed == await alice.get_room("lobby")
            with pytest.raises(AbortedError) as caught:
                await alice.update_room("lobby", etag=made.etag, entry=JoinPolicy.JOIN_POLICY_OPEN)
            assert (caught.value.reason, caught.value.metadata) == ("ETAG_MISMATCH", {"etag": changed.etag})
            await alice.delete_room("lobby", etag=changed.etag)
            await alice.delete_room("lobby", etag=changed.etag)
            with pytest.raises(FailedPreconditionError, match="was deleted"):
                await alice.send("lobby", "x")

    asyncio.run(main())


def test_a_conversation_of_two(tmp_path):
    async def main():
        async with (
            real_server(tmp_path) as server,
            Client(server.target, user="alice") as alice,
            Client(server.target, user="bob") as bob,
        ):
            room, position = await alice.open_direct_room("bob")
            assert room.direct
            assert (await bob.open_direct_room("alice"))[0] == room
            sent = await alice.send(room.room_id, "psst")
            polled = await bob.poll(positions=[position, sent.position])
            assert [m.content for delta in polled.deltas for m in delta.messages] == [b"psst"]

    asyncio.run(main())


def test_what_was_removed_unread_is_told(tmp_path):
    async def main():
        async with (
            real_server(tmp_path) as server,
            Client(server.target, user="alice") as alice,
            Client(server.target, user="bob") as bob,
        ):
            await alice.create_room("lobby", members=["bob"])
            for n in range(10):
                await alice.send("lobby", str(n))
            await alice.update_room("lobby", retention=Retention(max_entries=3))
            while (await alice.get_room("lobby")).first_sequence < 10:
                pass
            told = []
            receiving = bob.receive(notices=told.append)
            assert (await anext(receiving)).content == b"8"
            (loss,) = (each for each in told if isinstance(each, Delta))
            assert loss.lost_through == 9
            with pytest.raises(OutOfRangeError) as caught:
                await bob.list_messages("lobby", after=5)
            assert caught.value.reason == "SEQUENCE_EXPIRED"
            newest, more = await bob.list_messages("lobby", before=12, limit=1)
            assert ([m.sequence for m in newest], bool(more)) == ([11], True)

    asyncio.run(main())
