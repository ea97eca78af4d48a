"""Poll, acknowledge and list over a real socket: what comes, what it claims, and how it refuses."""

import asyncio

import pytest
from google.protobuf import duration_pb2

from chatsys.core import position
from chatsys.v1 import chat_pb2, room_pb2, types_pb2
from tests.chatsys.reader import two


def test_poll_brings_what_is_not_acknowledged(world, room, texts):
    async def body(as_user):
        alice, bob, _ = await two(as_user, room)
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
        alice, bob, _ = await two(as_user, room)
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
        alice, bob, _ = await two(as_user, room)
        await alice.send_many(room, 2000)
        await bob.send(room, "from bob")
        got = await alice.poll(max_messages=1)
        assert texts(got.deltas) == ["from bob"]
        assert got.caught_up
        got = await bob.poll(max_messages=1000)
        assert (len(texts(got.deltas)), got.caught_up) == (1000, False)

    world(body)


def test_a_poll_waits_for_a_first_message(world, room, texts):
    async def body(as_user):
        alice, bob, _ = await two(as_user, room)
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
        alice, bob, _ = await two(as_user, room)
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
        with refused("FIELD_INVALID"):  # on later pages too, where they are not waited for
            await root.ListMessages(
                chat_pb2.ListMessagesRequest(room_id=room, page_token="1", min_positions=[""])
            )
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
        alice, bob, root = await two(as_user, room)
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


@pytest.mark.parametrize("field", ["sequence", "ended_sequence"])
def test_what_was_unread_when_a_membership_ended_comes_to_who_joins_a_whole_room_again(
    world, room, texts, field
):
    async def body(as_user):
        alice, bob, root = await two(as_user, room, whole=True)
        await alice.send(room, "read")
        await bob.poll(acks=[chat_pb2.Ack(room_id=room, sequence=2)])
        await alice.send(room, "unread")
        await root.kick(room, bob.user)
        (delta,) = (await bob.poll()).deltas
        assert (delta.membership_ended, delta.through_sequence) == (True, 4)
        assert not (await bob.poll(acks=[chat_pb2.Ack(room_id=room, **{field: 4})])).deltas
        await alice.send(room, "meanwhile")
        await root.add(room, bob.user)
        assert texts((await bob.poll()).deltas) == ["unread", "meanwhile"]

    world(body)


def test_an_ending_that_is_acknowledged_too_late_skips_nothing(world, room, texts):
    async def body(as_user):
        alice, bob, root = await two(as_user, room, whole=True)
        await alice.send(room, "unread")
        await root.kick(room, bob.user)
        await root.add(room, bob.user)
        late = [chat_pb2.Ack(room_id=room, ended_sequence=3)]
        assert texts((await bob.poll(acks=late)).deltas) == ["unread"]

    world(body)


def test_who_knows_of_an_ending_is_not_told_it(world, room):
    async def body(as_user):
        _, bob, root = await two(as_user, room)
        await root.kick(room, bob.user)
        known = [chat_pb2.Ack(room_id=room, ended_sequence=2)]
        assert not (await bob.poll(resume_after=known)).deltas
        assert (await bob.poll()).deltas

    world(body)


def test_history_from_the_oldest_that_is_visible_is_no_history_of_what_was_removed(world, room, refused):
    """The first to be in a room that shows what came since they joined joined at 1: that is no wish of theirs."""

    async def body(as_user):
        alice, root = as_user("alice"), as_user("root")
        kept = types_pb2.Retention(max_entries=2)
        wanted = types_pb2.Room(room_id=room, retention=kept)
        await root.CreateRoom(room_pb2.CreateRoomRequest(room=wanted, member_ids=["alice"]))
        for text in "abcde":
            await alice.send(room, text)
        while (await root.GetRoom(room_pb2.GetRoomRequest(room_id=room))).room.first_sequence < 5:
            await root.poll()  # trimming is a pass of the server's own; the test as a whole has its deadline
        found = await alice.ListMessages(chat_pb2.ListMessagesRequest(room_id=room))
        assert [each.content.decode() for each in found.messages] == ["d", "e"]
        with refused("SEQUENCE_EXPIRED"):
            await alice.ListMessages(chat_pb2.ListMessagesRequest(room_id=room, after_sequence=2))

    world(body)


def test_history_backwards_comes_whole_however_it_is_read(world, room):
    """In pages of the reader's own, and of what an answer may hold; large ones between small ones."""

    async def body(as_user):
        alice, _, root = await two(as_user, room)
        stream = alice.SendMessages()
        requests = [
            chat_pb2.SendMessageRequest(room_id=room, content=b"x" * (60_000 if n % 2 else 1))
            for n in range(200)
        ]
        for start in range(0, 200, 50):
            await stream.write(chat_pb2.SendMessagesRequest(requests=requests[start : start + 50]))
            await stream.read()
        stream.cancel()
        for size in (0, 7, 1_000):
            request = chat_pb2.ListMessagesRequest(room_id=room, before_sequence=10_000, page_size=size)
            seen: list[int] = []
            while True:
                page = await root.ListMessages(request)
                assert page.ByteSize() < 3 * 1024 * 1024
                assert len(page.messages) <= (size or 50)
                seen = [each.sequence for each in page.messages] + seen
                request.page_token = page.next_page_token
                if not request.page_token:
                    break
            assert seen == list(range(2, 202))

    world(body)
