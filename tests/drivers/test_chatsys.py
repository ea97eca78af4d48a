"""The driver for chatsys against a real server, in JSON lines."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.client.real import real_server
from tests.drivers.talk import address, driver


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 90))


@asynccontextmanager
async def stage(tmp_path, *, without="", **cast):
    """A server, the harness, and a connected client for each keyword, all members of `lobby`."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(real_server(tmp_path, run="run-1"))
        players = {"harness": await stack.enter_async_context(driver())}
        await players["harness"].do("setup", user="harness", role="harness")
        await players["harness"].do("connect", server=address(server))
        await players["harness"].do("create", room="lobby", members=list(cast))
        for name, setup in cast.items():
            player = await stack.enter_async_context(driver(*(["--without", without] if without else [])))
            await player.do("setup", client=name, user=name, **setup)
            answer = await player.do("connect", server=address(server))
            assert answer["instance"] == server.ready["instance_id"]
            players[name] = player
        yield server, players


def golden(lines):
    """Lines without what differs from run to run."""
    for line in lines:
        plain = {key: value for key, value in line.items() if key not in ("t", "id")}
        for part in (plain.get("ok"), plain.get("polled")):
            if isinstance(part, dict) and "position" in part:
                part["position"] = "P"
        yield plain


def test_a_stream_client_line_by_line(tmp_path):
    async def main():
        async with stage(tmp_path, alice={}, bob={}) as (_, players):
            alice, bob = players["alice"], players["bob"]
            sent = await alice.do("send", room="lobby", message="m1", text="Grüße 👋")
            assert sent["sequence"] == 2
            begin = 3  # after hello and the answers of setup and connect
            await bob.do("fence", positions=[sent["position"]])
            await bob.until("acked", lambda line: line.get("event") == "acked")
            deliver, claim, *rest = golden(bob.lines[begin:])
            message = {"room": "lobby", "message": "m1", "sender": "alice", "text": "Grüße 👋", "sequence": 2}
            assert deliver == {"event": "deliver", "message": message}
            assert claim == {"event": "claim", "room": "lobby", "after": 1, "through": 2}
            assert {"event": "ack", "ack": 1, "acks": {"lobby": 2}} in rest
            assert {"event": "acked", "ack": 1, "ok": {"cursors": {"lobby": 2}}} in rest
            assert {"ok": {"position": "P", "caught_up": True}} in rest
            assert all(isinstance(line["t"], int) for line in bob.lines[1:])
            # She hears that there was nothing for her, and not herself.
            await alice.do("fence", positions=[sent["position"]])
            assert alice.delivered() == []
            assert alice.events("claim")[-1]["through"] == 2

    run(main())


def test_a_polling_client_line_by_line(tmp_path):
    async def main():
        async with stage(tmp_path, alice={}, bob={"receive": "poll"}) as (_, players):
            alice, bob = players["alice"], players["bob"]
            sent = await alice.do("send", room="lobby", message="m1", text="hi")
            await bob.do("fence", positions=[sent["position"]])
            assert bob.delivered() == ["m1"]
            await bob.do("disconnect")
            polls, polled = bob.events("poll"), bob.events("polled")
            assert [line["poll"] for line in polls] == [line["poll"] for line in polled]
            # The poll under way gave way to the fence, or had just brought the message.
            assert any(line.get("error", {}).get("code") == "CANCELLED" for line in polled)
            number = bob.events("deliver")[0]["poll"]
            order = [(line["event"], line["poll"]) for line in bob.lines if line.get("poll") == number]
            assert order == [("poll", number), ("deliver", number), ("claim", number), ("polled", number)]
            acked = [line["acks"] for line in bob.lines if line.get("acks")]
            assert acked[0] == {"lobby": 2}

    run(main())


def test_a_manual_client_reads_when_told(tmp_path):
    async def main():
        cast = {"alice": {}, "bob": {"receive": "manual", "acks": "manual"}}
        async with stage(tmp_path, **cast) as (server, players):
            alice, bob = players["alice"], players["bob"]
            texts = ("one", "two", "three")
            sent = [await alice.do("send", room="lobby", message=text, text=text) for text in texts]
            positions = [each["position"] for each in sent]
            assert bob.delivered() == []
            first = await bob.do("poll", positions=positions, max=1)
            assert first["caught_up"] is False
            assert bob.delivered() == ["one"]
            asked = bob._count
            assert [line["request"] for line in bob.events("deliver")] == [asked]
            assert (await bob.do("poll", positions=positions))["caught_up"] is True
            await bob.do("poll", positions=positions)
            assert bob.delivered() == ["one", "two", "three"]
            assert (await bob.do("ack", acks={"lobby": 2}))["cursors"] == {"lobby": 2}
            refused = await bob.ask("ack", acks={"lobby": 999})
            assert (refused["error"]["code"], refused["error"]["reason"]) == (
                "OUT_OF_RANGE",
                "ACK_BEYOND_HEAD",
            )
            assert refused["error"]["definite"] is True
            # Told once in the life of this process, again to the next one.
            await bob.do("disconnect")
            await bob.do("connect", server=address(server))
            await bob.do("poll", positions=positions)
            assert len(bob.delivered()) == 3
            async with driver() as second:
                await second.do("setup", client="bob", user="bob", receive="manual")
                await second.do("connect", server=address(server))
                await second.do("poll", positions=positions)
                assert second.delivered() == ["two", "three"]
                assert second.events("ack")[0]["acks"] == {"lobby": 4}

    run(main())


@pytest.mark.parametrize("receive", ["stream", "poll", "manual"])
def test_everything_over_a_killed_server(tmp_path, receive):
    async def main():
        async with stage(tmp_path, alice={}, bob={"receive": receive}) as (server, players):
            alice, bob, harness = players["alice"], players["bob"], players["harness"]
            await alice.do("send", room="lobby", message="before", text="x")
            await bob.do("fence", markers={"lobby": ["before", "alice"]})
            await server.kill()
            sending = asyncio.create_task(
                alice.do("send", room="lobby", message="meanwhile", text="x", within_ms=15000)
            )
            await server.start()
            position = (await sending)["position"]
            await bob.do("fence", positions=[position], within_ms=15000)
            after = await alice.do("send", room="lobby", message="after", text="x", within_ms=5000)
            await bob.do("fence", markers={"lobby": ["after", "alice"]}, within_ms=15000)
            assert bob.delivered() == ["before", "meanwhile", "after"]
            if receive != "manual":
                states = [line["state"] for line in bob.events("connection")]
                assert states == ["lost", "restored"]
                assert bob.events("connection")[-1]["instance"] == server.ready["instance_id"]
                numbers = {id(line): number for number, line in enumerate(bob.lines)}
                restored, second = bob.events("connection")[-1], bob.events("deliver")[1]
                assert numbers[id(restored)] < numbers[id(second)]
            page = await harness.do("history", room="lobby", after=0, limit=2, positions=[after["position"]])
            assert [message["message"] for message in page["messages"]] == ["before", "meanwhile"]
            assert page["more"] is True
            last = page["messages"][-1]["sequence"]
            page = await harness.do(
                "history", room="lobby", after=last, limit=2, positions=[after["position"]]
            )
            assert [message["message"] for message in page["messages"]] == ["after"]
            assert page["more"] is False

    run(main())


def test_rooms_members_and_refusals(tmp_path):
    async def main():
        async with stage(tmp_path, alice={}, bob={}) as (_, players):
            alice, bob, harness = players["alice"], players["bob"], players["harness"]
            created = await alice.do("create", room="cafe", entry="open", history="whole_room")
            assert created["position"]
            first = await alice.do("send", room="cafe", message="first", text="First!")
            joined = await bob.do("join", room="cafe")
            assert joined["sequence"] > first["sequence"]
            await bob.do("fence", positions=[joined["position"]])
            assert bob.delivered() == ["first"]
            kicked = await alice.do("kick", room="cafe", user="bob")
            await bob.do("fence", positions=[kicked["position"]])
            (ended,) = bob.events("ended")
            assert (ended["room"], ended["through"]) == ("cafe", joined["sequence"] + 1)
            refused = await bob.ask("send", room="cafe", message="x", text="hello?")
            assert (refused["error"]["code"], refused["error"]["reason"]) == (
                "PERMISSION_DENIED",
                "NOT_A_MEMBER",
            )
            assert refused["error"]["definite"] is True
            await alice.do("add", room="cafe", user="bob")
            await bob.do("leave", room="cafe")
            again = await alice.do("send", room="cafe", message="first", text="First!")
            assert (again["duplicate"], again["sequence"]) == (True, first["sequence"])
            refused = await harness.ask("fence", positions=[])
            assert refused["error"]["reason"] == "NO_READER"
            many = [f"u{number}" for number in range(300)]
            await harness.do("create", room="hall", members=many)
            answer = await harness.ask("create", room="hall", members=[])
            assert answer["error"]["code"] == "ALREADY_EXISTS"

    run(main())


def test_another_server_at_the_address_is_refused(tmp_path):
    async def main():
        async with real_server(tmp_path, run="run-1") as server, driver() as bob:
            await bob.do("setup", user="bob")
            for wrong in ({"run": "run-2"}, {"instance": "another"}):
                answer = await bob.ask("connect", server={**address(server), **wrong})
                error = answer["error"]
                assert (error["code"], error["reason"]) == ("FAILED_PRECONDITION", "WRONG_SERVER")
                assert error["definite"] is True
            await bob.do("connect", server=address(server))

    run(main())


def test_a_takeover_is_told_and_ends_the_fence(tmp_path):
    async def main():
        async with stage(tmp_path, bob={}) as (server, players), driver() as other:
            bob = players["bob"]
            await other.do("setup", client="bob-2", user="bob")
            await other.do("connect", server=address(server))
            lost = await bob.until("connection lost", lambda line: line.get("event") == "connection")
            assert (lost["state"], lost["reason"]) == ("lost", "SESSION_REPLACED")
            answer = await bob.ask("fence", positions=[])
            assert answer["error"]["reason"] == "SESSION_REPLACED"
            await bob.do("disconnect")
            await bob.do("connect", server=address(server))
            await bob.do("fence", positions=[])

    run(main())


def test_without_position_there_are_no_claims_and_markers_still_work(tmp_path):
    async def main():
        async with stage(tmp_path, without="position,ack", alice={}, bob={}) as (_, players):
            alice, bob = players["alice"], players["bob"]
            sent = await alice.do("send", room="lobby", message="m1", text="x")
            assert set(sent) == {"sequence"}
            assert await bob.do("fence", markers={"lobby": ["m1", "alice"]}) == {}
            refused = await bob.ask("fence", positions=[])
            assert refused["error"]["reason"] == "NO_CAPABILITY"
            late = await bob.ask("fence", markers={"lobby": ["never", "alice"]}, within_ms=100)
            assert late["error"]["message"] == "not delivered within 0.1 s: never in lobby"
            assert late["error"]["definite"] is False
            await bob.do("disconnect")
            assert bob.events("claim", "ack", "acked") == []

    run(main())


def test_disconnect_ends_what_is_under_way(tmp_path):
    async def main():
        async with stage(tmp_path, bob={}) as (_, players):
            bob = players["bob"]
            waiting = asyncio.create_task(bob.ask("fence", markers={"lobby": ["never", "alice"]}))
            await asyncio.sleep(0)
            await bob.do("disconnect")
            error = (await waiting)["error"]
            assert (error["code"], error["definite"]) == ("CANCELLED", False)

    run(main())


def test_a_thousand_messages_sent_at_once_come_in_order(tmp_path):
    async def main():
        async with stage(tmp_path, alice={}, bob={}) as (_, players):
            alice, bob = players["alice"], players["bob"]
            answers = await asyncio.gather(
                *(alice.ask("send", room="lobby", message=f"m{n}", text="x" * 500) for n in range(1000))
            )
            sequences = {f"m{n}": answer["ok"]["sequence"] for n, answer in enumerate(answers)}
            positions = [answer["ok"]["position"] for answer in answers]
            await bob.do("fence", positions=positions[:900])
            await bob.do("fence", positions=positions[900:])
            got = bob.delivered()
            assert got == sorted(sequences, key=sequences.__getitem__)

    run(main())


def test_sent_by_a_stream_they_keep_the_order_in_which_they_were_asked_for(tmp_path):
    async def main():
        async with stage(tmp_path, alice={"sends": "stream"}, bob={}) as (_, players):
            alice, outsider = players["alice"], "nobodys"
            asked = (alice.ask("send", room="lobby", message=f"m{n}", text="x" * 500) for n in range(1000))
            answers = await asyncio.gather(*asked)
            assert [answer["ok"]["sequence"] for answer in answers] == list(range(2, 1002))
            again = await alice.do("send", room="lobby", message="m7", text="x" * 500)
            assert (again["sequence"], again["duplicate"]) == (9, True)
            refused = await alice.ask("send", room=outsider, message="lost", text="x")
            assert (refused["error"]["code"], refused["error"]["definite"]) == ("PERMISSION_DENIED", True)

    run(main())
