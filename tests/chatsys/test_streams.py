"""Subscribe and RequestProgress: each message once, claims that chain, takeover, endings."""

import asyncio
import sys

from chatsys.core import position
from chatsys.v1 import chat_pb2, room_pb2
from tests.chatsys.reader import Reader, pair, two


def test_messages_come_once_and_in_order(world, room):
    async def body(as_user):
        alice, bob, _, reader = await pair(as_user, room)
        assert reader.through == {room: 1}
        await asyncio.gather(*(alice.send(room, str(n)) for n in range(100)))
        own = await bob.send(room, "own")
        await bob.progress("p", own.position)
        frame = await reader.until("p")
        assert frame.caught_up
        assert sorted(reader.texts, key=int) == [str(n) for n in range(100)]
        assert reader.through[room] == 102, "own messages move the points without a message"
        reader.stream.cancel()

    world(body)


def test_own_messages_for_another_device(world, room):
    async def body(as_user):
        _, bob, _, _ = await pair(as_user, room)
        phone = Reader(bob.subscribe(consumer_id="phone", include_own=True))
        await phone.frame()
        await bob.send(room, "own")
        assert await phone.until_texts(1) == ["own"]

    world(body)


def test_a_reconnect_goes_on_at_the_cursor_or_where_the_application_is(world, room):
    async def body(as_user):
        alice, bob, _, reader = await pair(as_user, room)
        for text in "abc":
            await alice.send(room, text)
        await reader.until_texts(3)
        await bob.ack(room, 2)
        reader.stream.cancel()
        again = Reader(bob.subscribe())
        assert await again.until_texts(2) == ["b", "c"]
        again.stream.cancel()
        further = Reader(bob.subscribe(resume_after=[chat_pb2.Ack(room_id=room, sequence=3)]))
        assert await further.until_texts(1) == ["c"]

    world(body)


def test_the_first_frame_comes_even_when_there_is_nothing(world, room):
    async def body(as_user):
        doug = Reader(as_user(f"doug-{room}").subscribe())
        frame = await doug.frame()
        assert frame.caught_up
        assert not frame.deltas

    world(body)


def test_the_first_frame_waits_for_the_positions(served, world, room):
    async def body(as_user):
        alice, _, root, _ = await pair(as_user, room)
        sent = await alice.send(room, "a")
        epoch, applied = position.decode(sent.position, "position")
        carl = as_user(f"carl-{room}")
        ahead = Reader(carl.subscribe(min_positions=[position.encode(epoch, applied + 2)]))
        frame = asyncio.ensure_future(ahead.frame())
        await root.add(room, carl.user)
        last = await alice.send(room, "b")
        read = await frame
        assert position.decode(read.position, "")[1] >= applied + 2
        await carl.progress("p", last.position)
        await ahead.until("p")
        assert ahead.texts == ["b"]

    world(body)


def test_rooms_come_and_go_in_one_stream(world, room):
    async def body(as_user):
        alice, bob, root, reader = await pair(as_user, room)
        other = f"{room}-b"
        await root.create(other, alice.user, bob.user)
        await alice.send(other, "in the new room")
        await reader.until_texts(1)
        removed = await root.kick(room, bob.user)
        await alice.send(room, "secret")
        await bob.progress("p", removed.position)
        await reader.until("p")
        endings = [d for frame in reader.frames for d in frame.deltas if d.membership_ended]
        assert [(d.room_id, d.through_sequence, len(d.messages)) for d in endings] == [(room, 2, 0)]
        await root.add(room, bob.user)
        sent = await alice.send(room, "back")
        await bob.progress("q", sent.position)
        await reader.until("q")
        assert reader.texts == ["in the new room", "back"]
        assert sum(d.membership_ended for frame in reader.frames for d in frame.deltas) == 1

    world(body)


def test_an_ending_comes_again_until_it_is_acknowledged(world, room):
    async def body(as_user):
        _, bob, root, reader = await pair(as_user, room)
        await root.kick(room, bob.user)
        assert (await reader.frame()).deltas[0].membership_ended
        reader.stream.cancel()
        again = Reader(bob.subscribe())
        assert (await again.frame()).deltas[0].membership_ended
        again.stream.cancel()
        resumed = Reader(bob.subscribe(resume_after=[chat_pb2.Ack(room_id=room, sequence=2)]))
        assert not (await resumed.frame()).deltas
        await bob.ack(room, 2)
        resumed.stream.cancel()
        assert not (await Reader(bob.subscribe()).frame()).deltas

    world(body)


def test_a_stream_of_some_rooms_only(world, room, refused):
    async def body(as_user):
        alice, bob, root, _ = await pair(as_user, room)
        other = f"{room}-b"
        await root.create(other, alice.user, bob.user)
        some = Reader(bob.subscribe(consumer_id="some", room_ids=[other]))
        assert [d.room_id for d in (await some.frame()).deltas] == [other]
        await alice.send(room, "elsewhere")
        sent = await alice.send(other, "here")
        await bob.progress("p", sent.position, consumer="some")
        await some.until("p")
        assert some.texts == ["here"]
        with refused("NOT_A_MEMBER"):
            await as_user("doug").subscribe(room_ids=[other]).read()

    world(body)


def test_the_newer_stream_takes_over(served, world, room, refused):
    async def body(as_user):
        alice, bob, _, older = await pair(as_user, room)
        newer = Reader(bob.subscribe())
        await newer.frame()
        with refused("SESSION_REPLACED") as why:
            await older.frame()
        assert why[0].metadata == {"instance_id": served.ready["instance_id"]}
        other = Reader(bob.subscribe(consumer_id="phone"))
        await other.frame()
        with refused("NOT_A_MEMBER"):
            await bob.subscribe(room_ids=["no-such-room"]).read()
        sent = await alice.send(room, "hi")
        await bob.progress("p", sent.position)
        await newer.until("p")
        assert newer.texts == ["hi"], "a request that was refused took nothing over"

    world(body)


def test_progress_needs_an_open_stream(world, room, refused):
    async def body(as_user):
        _, bob, _, reader = await pair(as_user, room)
        with refused("NO_OPEN_STREAM"):
            await bob.progress("p", consumer="phone")
        with refused("NO_OPEN_STREAM"):
            await as_user("doug").progress("p")
        with refused("FIELD_INVALID"):
            await bob.progress("")
        with refused("LOG_EPOCH_CHANGED"):
            await bob.progress("p", "0" * 16 + ".1")
        await asyncio.gather(*(bob.progress(f"p{n}") for n in range(5)))
        tokens: list[str] = []
        while len(tokens) < 5:
            tokens += (await reader.frame()).progress_tokens
        assert sorted(tokens) == [f"p{n}" for n in range(5)], "each exactly once"

    world(body)


def test_progress_waits_for_its_position(world, room):
    async def body(as_user):
        alice, bob, _, reader = await pair(as_user, room)
        sent = await alice.send(room, "a")
        await reader.until_texts(1)
        epoch, applied = position.decode(sent.position, "position")
        await bob.progress("later", position.encode(epoch, applied + 2))
        await alice.send(room, "b")
        await bob.progress("now")
        frame = await reader.until("now")
        assert list(frame.progress_tokens) == ["now"]
        await alice.send(room, "c")
        await reader.until("later")
        assert reader.texts == ["a", "b", "c"]

    world(body)


def test_a_stream_that_is_wrong(world, room, refused):
    async def body(as_user):
        _, bob, _, _ = await pair(as_user, room)
        for fields in (
            {"consumer_id": "with blank"},
            {"room_ids": ["No Room"]},
            {"max_unacked_messages": -1},
            {"min_positions": ["garbage"]},
            {"resume_after": [chat_pb2.Ack(room_id=room, sequence=-1)]},
        ):
            with refused("FIELD_INVALID") as why:
                await bob.subscribe(**fields).read()
            assert why[0].violations[0].field.startswith(next(iter(fields)))
        with refused("ACK_BEYOND_HEAD"):
            await bob.subscribe(resume_after=[chat_pb2.Ack(room_id=room, sequence=9)]).read()

    world(body)


def test_leaving_is_told_like_a_removal(world, room):
    async def body(as_user):
        _, bob, _, reader = await pair(as_user, room)
        await bob.LeaveRoom(room_pb2.LeaveRoomRequest(room_id=room))
        assert (await reader.frame()).deltas[0].membership_ended

    world(body)


def test_a_silent_stream_has_a_heartbeat(serving, stubs, play):
    code = """
import sys
import chatsys.server.stream
from chatsys.server.main import main
chatsys.server.stream.HEARTBEAT = 0.05
sys.exit(main(sys.argv[1:]))
"""
    served = serving(command=[sys.executable, "-c", code])

    async def body():
        async with stubs(served.address) as as_user:
            alice, _, _, reader = await pair(as_user, "r")
            sent = await alice.send("r", "a")
            await reader.until_texts(1)
            beat = await reader.frame()
            assert (beat.position, beat.caught_up) == (sent.position, True)
            assert [d.through_sequence for d in beat.deltas] in ([], [2])

    play(body())


def test_a_busy_room_starves_no_other_in_one_stream(world, room):
    """A frame is full after 1,000 messages; the next one begins where it ended, not at the first room again."""

    async def body(as_user):
        root, alice, bob = as_user("root"), as_user("alice"), as_user("bob")
        names = [f"{room}-{letter}" for letter in "abc"]
        for name in names:
            await root.create(name, "alice", "bob")
            await alice.send_many(name, 3_000)
        stream = bob.subscribe(max_unacked_messages=65_536)
        through = dict.fromkeys(names, 1)
        order: list[str] = []
        while sum(through.values()) < 3 * 3_001:
            frame = await stream.read()
            assert sum(len(delta.messages) for delta in frame.deltas) <= 1_000
            for delta in frame.deltas:
                assert delta.after_sequence == through[delta.room_id]
                through[delta.room_id] = delta.through_sequence
                order += [delta.room_id] if delta.messages else []
            assert not frame.caught_up or sum(through.values()) == 3 * 3_001
        assert set(order[:4]) == set(names), order
        stream.cancel()

    world(body)


def test_a_room_that_one_comes_into_is_told_at_once(world, room):
    """With nothing to read in it: who is taken in must not wait for the first message to know."""

    async def body(as_user):
        bob, root = as_user(f"bob-{room}"), as_user("root")
        reader = Reader(bob.subscribe())
        await reader.frame()
        await root.create(room, bob.user)
        assert [delta.room_id for delta in (await reader.frame()).deltas] == [room]
        assert reader.through == {room: 1}
        await root.kick(room, bob.user)
        assert (await reader.frame()).deltas[0].membership_ended
        await root.add(room, bob.user)
        (again,) = (await reader.frame()).deltas
        assert (again.room_id, again.through_sequence, again.messages) == (room, 3, [])

    world(body)


def test_who_reads_one_room_is_told_of_no_other(world, room):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        reader = Reader(bob.subscribe(room_ids=[room]))
        await reader.frame()
        await root.create(f"{room}-other", bob.user)
        await alice.send(room, "hi")
        assert [delta.room_id for delta in (await reader.frame()).deltas] == [room]
        assert reader.texts == ["hi"]

    world(body)
