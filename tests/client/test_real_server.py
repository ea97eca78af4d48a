"""The library against a real server process, which is killed while they talk."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from chatsys.client import (
    AlreadyExistsError,
    Client,
    DeadlineExceededError,
    InvalidArgumentError,
    Lost,
    Outgoing,
    OutOfRangeError,
    PermissionDeniedError,
    Restored,
    SessionReplacedError,
    UnavailableError,
)
from chatsys.v1.types_pb2 import HistoryVisibility, JoinPolicy
from tests.client.real import real_server


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


@asynccontextmanager
async def people(data, *users):
    """A server and a client for each of these users."""
    async with real_server(data) as server, AsyncExitStack() as clients:
        yield [await clients.enter_async_context(Client(server.target, user=user)) for user in users]


async def room_of(client, *members, room="lobby", **options):
    return await client.create_room(room, members=members, **options)


async def read(stream, into, arrived=None):
    async for update in stream:
        for delta in getattr(update, "deltas", ()):
            into.extend(message.sequence for message in delta.messages)
        if arrived is not None:
            arrived.set()


def test_everybody_but_the_sender_receives_in_order(tmp_path):
    async def main():
        async with people(tmp_path, "alice", "bob", "doug") as (alice, bob, doug):
            await room_of(alice, "bob")
            sent = [(await alice.send("lobby", f"m{n}")).sequence for n in range(5)]
            messages = bob.receive()
            got = [await anext(messages) for _ in range(5)]
            assert [message.sequence for message in got] == sent
            assert got[0].content == b"m0"
            position = (await alice.send("lobby", "last")).position
            polled = await alice.poll(positions=[position])
            assert polled.caught_up
            assert not any(delta.messages for delta in polled.deltas)
            polled = await doug.poll(positions=[position])
            assert (polled.deltas, polled.caught_up) == ((), True)

    run(main())


def test_a_killed_server_comes_back_and_nothing_is_lost_or_told_twice(tmp_path):
    async def main():
        async with real_server(tmp_path, run="r1") as server:
            options = {"expect_run": "r1", "expect_instance": server.ready["instance_id"]}
            async with (
                Client(server.target, user="alice", **options) as alice,
                Client(server.target, user="bob", **options) as bob,
            ):
                await room_of(alice, "bob")
                notices = []
                messages = bob.receive(notices=notices.append)
                sent = [await alice.send("lobby", "before")]
                assert (await anext(messages)).content == b"before"
                for number in range(2):
                    await server.kill()
                    sending = asyncio.create_task(alice.send("lobby", f"meanwhile {number}", within=30))
                    await server.start()
                    sent.append(await sending)
                    sent.append(await alice.send("lobby", f"after {number}"))
                    got = [(await anext(messages)).sequence for _ in range(2)]
                    assert got == [each.sequence for each in sent[-2:]]
                kinds = [type(notice) for notice in notices]
                assert kinds == [Lost, Restored] * 2
                assert notices[-1].instance == server.ready["instance_id"] != options["expect_instance"]
                page, token = await alice.list_messages("lobby")
                assert [message.sequence for message in page] == [each.sequence for each in sent]
                assert not token

    run(main())


def test_unacknowledged_messages_come_again_to_the_next_process_only(tmp_path):
    async def main():
        async with real_server(tmp_path) as server, Client(server.target, user="alice") as alice:
            await room_of(alice, "bob")
            one, two = [await alice.send("lobby", text) for text in ("one", "two")]
            async with Client(server.target, user="bob") as bob:
                polled = await bob.poll()
                assert [m.sequence for d in polled.deltas for m in d.messages] == [one.sequence, two.sequence]
                assert not any(d.messages for d in (await bob.poll()).deltas)
                await bob.ack_now({"lobby": one.sequence})
                with pytest.raises(OutOfRangeError):
                    await bob.ack_now({"lobby": 999})
            await server.kill()
            await server.start()
            async with Client(server.target, user="bob") as bob:
                polled = await bob.poll()
                assert [m.sequence for d in polled.deltas for m in d.messages] == [two.sequence]
                cursors = await bob.list_cursors()
                assert [(c.room_id, c.acked_sequence, c.unread_count) for c in cursors] == [
                    ("lobby", one.sequence, 1)
                ]

    run(main())


def test_a_message_id_is_stored_once(tmp_path):
    async def main():
        async with people(tmp_path, "alice") as (alice,):
            await room_of(alice)
            first = await alice.send("lobby", "x", client_message_id="id")
            again = await alice.send("lobby", "x", client_message_id="id")
            assert (again.sequence, again.duplicate) == (first.sequence, True)
            with pytest.raises(AlreadyExistsError) as caught:
                await alice.send("lobby", "y", client_message_id="id")
            assert caught.value.reason == "CLIENT_MESSAGE_ID_REUSED"

    run(main())


def test_batches_are_stored_in_order_and_answered_one_by_one(tmp_path):
    async def main():
        async with people(tmp_path, "alice") as (alice,):
            await room_of(alice)
            results = await asyncio.gather(
                *(alice.send_batch([Outgoing("lobby", f"{n}.{k}") for k in range(50)]) for n in range(5))
            )
            sequences = [sent.sequence for batch in results for sent in batch]
            assert sequences == sorted(sequences)
            page, _ = await alice.list_messages("lobby", limit=1000)
            assert [m.content.decode() for m in page] == [f"{n}.{k}" for n in range(5) for k in range(50)]
            good, bad = await alice.send_batch([Outgoing("lobby", "x"), Outgoing("elsewhere", "x")])
            assert good.sequence == sequences[-1] + 1
            assert isinstance(bad, PermissionDeniedError)
            assert bad.reason == "NOT_A_MEMBER"

    run(main())


def test_batches_survive_a_killed_server(tmp_path):
    async def main():
        async with real_server(tmp_path) as server, Client(server.target, user="alice") as alice:
            await room_of(alice)
            sending = [
                asyncio.create_task(
                    alice.send_batch([Outgoing("lobby", f"{n}.{k}") for k in range(20)], within=30)
                )
                for n in range(40)
            ]
            await sending[3]
            await server.kill()
            await server.start()
            sequences = [sent.sequence for batch in await asyncio.gather(*sending) for sent in batch]
            assert sequences == sorted(set(sequences))
            page, _ = await alice.list_messages("lobby", limit=1000)
            assert [m.content.decode() for m in page] == [f"{n}.{k}" for n in range(40) for k in range(20)]

    run(main())


def test_a_full_window_waits_for_acknowledgements(tmp_path):
    async def main():
        async with people(tmp_path, "alice", "bob") as (alice, bob):
            await room_of(alice, "bob")
            sent = [(await alice.send("lobby", f"m{n}")).sequence for n in range(10)]
            stream = bob.subscribe(window=4)
            got, arrived = [], asyncio.Event()
            reading = asyncio.create_task(read(stream, got, arrived))
            for full in (4, 8):
                while len(got) < full:
                    arrived.clear()
                    await arrived.wait()
                # A fence says that something is held back, and is asked again until somebody acknowledges.
                with pytest.raises(DeadlineExceededError, match="window of unacknowledged messages was full"):
                    await bob.progress(within=2)
                assert got == sent[:full]
                await bob.ack_now({"lobby": got[-1]})
            assert (await bob.progress(within=10)).caught_up
            reading.cancel()
            assert got == sent

    run(main())


def test_a_second_subscriber_of_one_consumer_takes_over(tmp_path):
    async def main():
        async with (
            real_server(tmp_path) as server,
            Client(server.target, user="bob") as phone,
            Client(server.target, user="bob") as other_phone,
            Client(server.target, user="bob", consumer="tablet") as tablet,
        ):
            first = phone.subscribe()
            await first.opened(10)
            device = tablet.subscribe()
            await device.opened(10)
            second = other_phone.subscribe()
            await second.opened(10)
            with pytest.raises(SessionReplacedError):
                async for _ in first:
                    pass
            reading = asyncio.create_task(read(device, []))
            assert (await tablet.progress(within=10)).caught_up
            reading.cancel()

    run(main())


def test_fences_prove_what_has_come(tmp_path):
    async def main():
        async with people(tmp_path, "alice", "bob", "doug") as (alice, bob, doug):
            await room_of(alice, "bob")
            got, nothing = [], []
            streams = {bob: bob.subscribe(), doug: doug.subscribe()}
            readers = [
                asyncio.create_task(read(streams[bob], got)),
                asyncio.create_task(read(streams[doug], nothing)),
            ]
            for number in range(20):
                sent = await alice.send("lobby", f"m{number}")
                for client in (bob, doug):
                    assert (await client.progress([sent.position], within=10)).caught_up
                assert got[-1] == sent.sequence
            assert nothing == []
            for reader in readers:
                reader.cancel()

    run(main())


def test_rooms_and_who_may_do_what(tmp_path):
    async def main():
        async with people(tmp_path, "alice", "bob", "harness") as (alice, bob, harness):
            await room_of(
                harness,
                "alice",
                history=HistoryVisibility.HISTORY_VISIBILITY_WHOLE_ROOM,
                entry=JoinPolicy.JOIN_POLICY_OPEN,
                exclude_caller=True,
            )
            first = await alice.send("lobby", "first")
            assert [room.room_id for room in await bob.list_rooms()] == []
            assert [room.room_id for room in await bob.list_rooms(include_open=True)] == ["lobby"]
            joined = await bob.join_room("lobby")
            assert joined.sequence > first.sequence
            polled = await bob.poll()
            assert [m.sequence for d in polled.deltas for m in d.messages] == [first.sequence]
            assert {member.user_id for member in await bob.list_members("lobby")} == {"alice", "bob"}
            await bob.leave_room("lobby")
            polled = await bob.poll()
            assert [(d.room, d.ended) for d in polled.deltas] == [("lobby", True)]
            with pytest.raises(PermissionDeniedError) as caught:
                await bob.send("lobby", "hello?")
            assert (caught.value.reason, caught.value.definite) == ("NOT_A_MEMBER", True)
            added = await harness.add_member("lobby", "bob")
            assert added.sequence > joined.sequence
            await harness.remove_member("lobby", "bob")
            page, _ = await harness.list_messages("lobby")
            assert [m.sequence for m in page] == [first.sequence]
            with pytest.raises(InvalidArgumentError):
                await alice.send("lobby", "")
            registered = [await alice.register("Luis") for _ in range(2)]
            assert registered[0].user.user_id != registered[1].user.user_id
            assert (await alice.get_user(registered[0].user.user_id)).display_name == "Luis"

    run(main())


def test_connect_to_nobody_ends_in_time(tmp_path):
    async def main():
        async with real_server(tmp_path) as server:
            target = server.target
            await server.stop()
            with pytest.raises(UnavailableError):
                await Client.connect(target, user="bob", within=0.5)

    run(main())
