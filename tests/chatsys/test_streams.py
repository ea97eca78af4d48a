"""Subscribe and RequestProgress: each message once, claims that chain, windows, takeover, endings."""

import asyncio
import sys

import pytest

from chatsys.core import position
from chatsys.v1 import chat_pb2, room_pb2


@pytest.fixture
def world(served, stubs, play):
    def run(body):
        async def connected():
            async with stubs(served.address) as as_user:
                await body(as_user)

        play(connected())

    return run


class Reader:
    """Reads a stream as a careful client would: every delta must go on where the last one ended."""

    def __init__(self, stream):
        self.stream = stream
        self.texts: list[str] = []
        self.through: dict[str, int] = {}
        self.frames: list[chat_pb2.SubscribeResponse] = []

    async def frame(self):
        frame = await self.stream.read()
        assert isinstance(frame, chat_pb2.SubscribeResponse), "the stream ended"
        self.frames.append(frame)
        for delta in frame.deltas:
            room = delta.room_id
            if room in self.through:
                assert delta.after_sequence == self.through[room], "a hole between two deltas"
            assert delta.through_sequence >= delta.after_sequence
            sequences = [message.sequence for message in delta.messages]
            assert sequences == sorted(set(sequences))
            assert all(delta.after_sequence < each <= delta.through_sequence for each in sequences)
            self.texts += [message.content.decode() for message in delta.messages]
            self.through[room] = delta.through_sequence
            if delta.membership_ended:
                del self.through[room]
        return frame

    async def until(self, token):
        """Reads to the frame that answers a progress request."""
        while token not in (await self.frame()).progress_tokens:
            pass
        return self.frames[-1]

    async def until_texts(self, count):
        while len(self.texts) < count:
            await self.frame()
        return self.texts


async def pair(as_user, room, **fields):
    """Alice and Bob in a room, and Bob's stream after its first frame."""
    alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
    await root.create(room, alice.user, bob.user, **fields)
    reader = Reader(bob.subscribe())
    await reader.frame()
    return alice, bob, root, reader


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


def test_what_the_window_held_back_comes_after_a_rejoin_of_a_whole_room(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user, whole=True)
        reader = Reader(bob.subscribe(max_unacked_messages=1))
        await reader.frame()
        await alice.send(room, "a")
        await reader.until_texts(1)
        await alice.send(room, "held back")
        await root.kick(room, bob.user)
        while not reader.frames[-1].deltas or not reader.frames[-1].deltas[-1].membership_ended:
            await reader.frame()
        await root.add(room, bob.user)
        assert await reader.until_texts(2) == ["a", "held back"]

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


def test_a_slow_reader_meets_a_window(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user)
        reader = Reader(bob.subscribe(max_unacked_messages=3))
        await reader.frame()
        for n in range(7):
            sent = await alice.send(room, str(n))
        await bob.progress("full", sent.position)
        frame = await reader.until("full")
        assert not frame.caught_up
        assert not any(delta.messages for delta in frame.deltas)
        assert reader.texts == ["0", "1", "2"]
        await bob.ack(room, 3)
        await reader.until_texts(5)
        await bob.progress("more", sent.position)
        assert not (await reader.until("more")).caught_up
        assert reader.texts == ["0", "1", "2", "3", "4"]
        await bob.ack(room, 6)
        await reader.until_texts(7)
        await bob.progress("all", sent.position)
        assert (await reader.until("all")).caught_up
        assert reader.texts == [str(n) for n in range(7)]

    world(body)


def test_a_full_window_without_anything_behind_is_caught_up(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user)
        reader = Reader(bob.subscribe(max_unacked_messages=1))
        await reader.frame()
        await alice.send(room, "a")
        own = await bob.send(room, "own")
        await bob.progress("p", own.position)
        assert (await reader.until("p")).caught_up
        assert reader.through[room] == 3

    world(body)


def test_a_long_backlog_comes_in_large_frames(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user)
        stream = alice.SendMessages()
        requests = [chat_pb2.SendMessageRequest(room_id=room, content=b"x") for _ in range(1000)]
        for _ in range(3):
            await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
        await stream.done_writing()
        async for answer in stream:
            last = answer.position
        reader = Reader(bob.subscribe())
        await reader.frame()
        await bob.progress("p", last)
        assert (await reader.until("p")).caught_up
        assert len(reader.texts) == 3000
        assert len(reader.frames) < 20

    world(body)


def test_large_messages_in_many_rooms_fit_into_what_a_client_takes(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        rooms = [f"{room}-{n}" for n in range(80)]
        await asyncio.gather(*(root.create(each, alice.user, bob.user) for each in rooms))
        await asyncio.gather(*(alice.send(each, "x" * 60_000) for each in rooms))
        reader = Reader(bob.subscribe())
        await reader.until_texts(80)
        polled = await bob.poll(max_messages=1000)
        assert not polled.caught_up
        assert 1 < sum(len(delta.messages) for delta in polled.deltas) < 80

    world(body)


def test_a_long_backlog_of_ones_own_moves_the_points(world, room):
    async def body(as_user):
        alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
        await root.create(room, alice.user, bob.user)
        stream = alice.SendMessages()
        requests = [chat_pb2.SendMessageRequest(room_id=room, content=b"x") for _ in range(1000)]
        for _ in range(3):
            await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
        await stream.done_writing()
        async for answer in stream:
            last = answer.position
        await bob.send(room, "from bob")
        reader = Reader(alice.subscribe())
        await reader.frame()
        await alice.progress("p", last)
        assert (await reader.until("p")).caught_up
        assert reader.texts == ["from bob"]
        assert reader.through[room] == 3002

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


def test_many_readers_of_a_busy_room_each_get_everything_once(world, room):
    async def body(as_user):
        users = [f"u{n}-{room}" for n in range(8)]
        await as_user("root").create(room, *users)
        readers = [Reader(as_user(user).subscribe()) for user in users]
        for reader in readers:
            await reader.frame()
        sent = await asyncio.gather(
            *(as_user(user).send(room, f"{user}/{n}") for n in range(20) for user in users)
        )
        order = [
            text
            for _, text in sorted(
                (answer.message.sequence, f"{user}/{n}")
                for answer, (n, user) in zip(
                    sent, [(n, user) for n in range(20) for user in users], strict=True
                )
            )
        ]
        for user, reader in zip(users, readers, strict=True):
            await as_user(user).progress("p", *(answer.position for answer in sent))
            assert (await reader.until("p")).caught_up
            assert reader.texts == [text for text in order if not text.startswith(f"{user}/")]

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
