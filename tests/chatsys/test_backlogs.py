"""Windows and backlogs of a stream: slow readers, long waits, large messages, many readers at once."""

import asyncio

from tests.chatsys.reader import Reader, two


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


def test_a_slow_reader_meets_a_window(world, room):
    async def body(as_user):
        alice, bob, _ = await two(as_user, room)
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
        alice, bob, _ = await two(as_user, room)
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
        alice, bob, _ = await two(as_user, room)
        last = await alice.send_many(room, 3000)
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
        alice, bob, _ = await two(as_user, room)
        last = await alice.send_many(room, 3000)
        await bob.send(room, "from bob")
        reader = Reader(alice.subscribe())
        await reader.frame()
        await alice.progress("p", last)
        assert (await reader.until("p")).caught_up
        assert reader.texts == ["from bob"]
        assert reader.through[room] == 3002

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
