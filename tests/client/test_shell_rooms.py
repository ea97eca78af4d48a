"""`chatsys create`, `rooms`, `members` and `explain-delivery` as somebody types them."""

from __future__ import annotations

import asyncio
import json

from chatsys.client import Client
from tests.client.real import real_server
from tests.client.test_shell import shell


def test_rooms_members_and_deliveries(tmp_path):
    async def main():
        async with real_server(tmp_path) as server:
            async with Client(server.target, user="alice") as alice:
                await alice.create_room("lobby", display_name="The lobby", members=["bob"])
                await alice.create_room("attic")
                await alice.send("lobby", "Hello")
                await alice.send("lobby", "Are you there?")
            as_bob = {"CHATSYS_SERVER": server.target, "CHATSYS_USER": "bob"}
            assert await shell("rooms", **as_bob) == (0, "lobby (The lobby): 2 unread\n", "")
            code, out, _ = await shell("rooms", "--json", **as_bob)
            assert (code, json.loads(out)) == (
                0,
                {
                    "room": "lobby",
                    "display_name": "The lobby",
                    "member": True,
                    "unread": 2,
                    "acked_sequence": 1,
                    "head_sequence": 3,
                    "first_sequence": 1,
                    "open": False,
                    "direct": False,
                },
            )
            assert await shell("members", "lobby", **as_bob) == (0, "alice: admin\nbob: writer\n", "")
            code, out, _ = await shell("members", "lobby", "--json", **as_bob)
            assert [json.loads(line)["role"] for line in out.splitlines()] == ["admin", "writer"]
            code, _, err = await shell("members", "no-such-room", **as_bob)
            assert (code, "NOT_A_MEMBER" in err) == (1, True)
            assert await shell("explain-delivery", "--room", "lobby", "2", **as_bob) == (
                0,
                (
                    "alice: own: alice sent it; nobody gets back what they sent\n"
                    "bob: pending: bob has no open stream here and has not polled for it; it waits behind 1\n"
                ),
                "",
            )
            await shell("poll", **as_bob)
            code, out, _ = await shell(
                "explain-delivery", "--room", "lobby", "--of", "bob", "--json", "3", **as_bob
            )
            told = json.loads(out)
            assert (told["outcome"], told["deliver_count"], told["acked_sequence"]) == ("acked", 1, 3)
            assert await shell("rooms", **as_bob) == (0, "lobby (The lobby): 0 unread\n", "")

    asyncio.run(main())


def test_a_room_is_made(tmp_path):
    async def main():
        async with real_server(tmp_path) as server:
            as_alice = {"CHATSYS_SERVER": server.target, "CHATSYS_USER": "alice"}
            assert await shell("create", "lobby", "bob", **as_alice) == (
                0,
                "lobby: made, by invitation\n",
                "",
            )
            assert await shell("members", "lobby", **as_alice) == (0, "alice: admin\nbob: writer\n", "")
            code, out, _ = await shell("create", "garden", "--open", "--json", **as_alice)
            assert (code, json.loads(out)) == (0, {"room": "garden", "open": True, "members": []})
            as_eve = {**as_alice, "CHATSYS_USER": "eve"}
            assert await shell("rooms", "--open", **as_eve) == (0, "garden: not yours\n", "")
            code, _, err = await shell("create", "lobby", **as_eve)
            assert (code, "ROOM_EXISTS" in err) == (1, True)
            code, _, err = await shell("create", "The Lobby", **as_eve)
            assert (code, "a room id is 1 to 63 characters" in err) == (1, True)

    asyncio.run(main())
