"""What the library makes of streams that break, lie, or are taken over."""

from __future__ import annotations

import asyncio

import grpc
import pytest

from chatsys.client import (
    Client,
    EpochChanged,
    Frame,
    Lost,
    Place,
    Restored,
    SessionReplacedError,
    WrongServerError,
)
from chatsys.v1.chat_pb2 import (
    AckMessagesRequest,
    RequestProgressRequest,
    SubscribeRequest,
    SubscribeResponse,
)
from tests.client.scripted import Scripted, abort, delta, forever, frame, serving


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def take(iterator, count):
    return [await anext(iterator) for _ in range(count)]


async def holds(*frames):
    for item in frames:
        yield item
    await forever()


def test_messages_come_once_over_a_broken_stream():
    async def breaks(server, context):
        yield frame(0, 2, 1, 2)
        yield frame(2, 3, 3)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async def repeats(server, context):
        # A server that forgot what was handed over, as one without resume_after would.
        async for item in holds(frame(0, 4, 1, 2, 3, 4)):
            yield item

    async def main():
        server = Scripted()
        server.streams = [breaks, repeats]
        notices = []
        async with serving(server) as target, Client(target, user="bob") as client:
            got = await take(client.receive(notices=notices.append), 4)
        assert [message.sequence for message in got] == [1, 2, 3, 4]
        assert [type(notice) for notice in notices] == [Lost, Restored]
        first, second = server.seen(SubscribeRequest)
        assert not first.resume_after
        # It resumes after what was handed over; frames read ahead may have been dropped with the stream.
        assert [ack.room_id for ack in second.resume_after] == ["lobby"]
        assert second.min_positions

    run(main())


def test_a_hole_makes_it_subscribe_again():
    async def with_hole(server, context):
        async for item in holds(frame(0, 1, 1), frame(2, 3, 3)):
            yield item

    async def whole(server, context):
        async for item in holds(frame(1, 3, 2, 3)):
            yield item

    async def main():
        server = Scripted()
        server.streams = [with_hole, whole]
        notices = []
        async with serving(server) as target, Client(target, user="bob") as client:
            got = await take(client.receive(notices=notices.append), 3)
        assert [message.sequence for message in got] == [1, 2, 3]
        assert notices[0].fault.reason == "HOLE_IN_STREAM"

    run(main())


def test_a_takeover_ends_it_for_good():
    async def replaced(server, context):
        yield frame(0, 1, 1)
        await abort(context, grpc.StatusCode.ABORTED, "SESSION_REPLACED", instance_id="two")

    async def main():
        server = Scripted()
        server.streams = [replaced]
        async with serving(server) as target, Client(target, user="bob") as client:
            stream = client.subscribe()
            with pytest.raises(SessionReplacedError) as caught:
                async for _ in stream:
                    pass
            assert caught.value.metadata == {"instance_id": "two"}
            assert caught.value.definite
            with pytest.raises(SessionReplacedError):
                await client.progress(within=5)
        assert len(server.seen(SubscribeRequest)) == 1

    run(main())


def test_a_changed_epoch_drops_positions_and_starts_at_the_cursor():
    async def before(server, context):
        yield frame(0, 5, 5, position="old.5")
        await context.abort(grpc.StatusCode.UNAVAILABLE, "restart")

    async def refuses(server, context):
        await abort(context, grpc.StatusCode.FAILED_PRECONDITION, "LOG_EPOCH_CHANGED", old="old", new="new")
        yield frame(0, 0)

    async def after(server, context):
        async for item in holds(frame(0, 1, 1, position="new.1")):
            yield item

    async def main():
        server = Scripted()
        server.streams = [before, refuses, after]
        async with serving(server) as target, Client(target, user="bob") as client:
            updates = await take(client.subscribe(), 5)
        kinds = [type(update) for update in updates]
        assert kinds == [Frame, Lost, EpochChanged, Restored, Frame]
        assert [message.sequence for message in updates[-1].deltas[0].messages] == [1]
        _, second, third = server.seen(SubscribeRequest)
        assert list(second.min_positions) == ["old.5"]
        assert not third.min_positions
        assert not third.resume_after

    run(main())


def test_progress_waits_for_its_frame_and_asks_again_until_caught_up():
    async def answers(server, context):
        yield frame(0, 0)
        token = await server.tokens.get()
        yield SubscribeResponse(position="p1", caught_up=False, progress_tokens=[token])
        token = await server.tokens.get()
        yield frame(0, 2, 1, progress_tokens=[token])
        await forever()

    async def main():
        server = Scripted()
        server.streams = [answers]
        async with serving(server) as target, Client(target, user="bob") as client:
            stream = client.subscribe()
            handled = []

            async def read():
                async for update in stream:
                    await asyncio.sleep(0)
                    handled.extend(m.sequence for d in update.deltas for m in d.messages)

            reading = asyncio.create_task(read())
            answer = await client.progress(["px"], within=10)
            assert answer.caught_up
            assert answer.position == "p2"
            assert handled == [1]
            reading.cancel()
        first, second = server.seen(RequestProgressRequest)
        assert first.token != second.token
        assert "px" in first.min_positions

    run(main())


def test_progress_is_asked_again_on_the_next_stream():
    async def dies(server, context):
        yield frame(0, 1, 1)
        await server.tokens.get()
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async def answers(server, context):
        yield frame(1, 1)
        token = await server.tokens.get()
        yield frame(1, 2, 2, progress_tokens=[token])
        await forever()

    async def main():
        server = Scripted()
        server.streams = [dies, answers]
        async with serving(server) as target, Client(target, user="bob") as client:
            stream = client.subscribe()

            async def read():
                async for _ in stream:
                    pass

            reading = asyncio.create_task(read())
            assert (await client.progress(within=10)).position == "p2"
            reading.cancel()

    run(main())


def test_a_cancelled_taker_loses_nothing():
    async def slowly(server, context):
        yield frame(0, 0)
        for number in range(1, 6):
            await server.tokens.get()
            yield frame(number - 1, number, number)
        await forever()

    async def main():
        server = Scripted()
        server.streams = [slowly]
        async with serving(server) as target, Client(target, user="bob") as client:
            stream = client.subscribe()
            await stream.opened(10)
            got = []
            while len(got) < 5:
                server.tokens.put_nowait("go")
                taking = asyncio.ensure_future(anext(stream))
                await asyncio.wait([taking], timeout=0.002)
                taking.cancel()
                await asyncio.wait([taking])
                if not taking.cancelled():
                    got += [m.sequence for d in taking.result().deltas for m in d.messages]
            assert got == [1, 2, 3, 4, 5]
        assert len(server.seen(SubscribeRequest)) == 1

    run(main())


def test_the_wrong_server_is_refused():
    async def opens(server, context):
        async for item in holds(frame(0, 1, 1)):
            yield item

    async def main():
        server = Scripted(instance="one", run="ours")
        server.streams = [opens]
        async with serving(server) as target:
            with pytest.raises(WrongServerError, match="is run ours, not theirs"):
                await Client.connect(target, user="bob", expect_run="theirs")
            with pytest.raises(WrongServerError):
                await Client.connect(target, user="bob", expect_instance="two", expect_run="ours")
            async with Client(target, user="bob", expect_run="theirs") as client:
                with pytest.raises(WrongServerError):
                    await client.subscribe().opened(10)
            async with await Client.connect(
                target, user="bob", expect_instance="one", expect_run="ours"
            ) as client:
                # The same run after a restart is the right server still.
                server.metadata = (("chatsys-instance", "two"), ("chatsys-run", "ours"))
                await client.server_info()
                assert client.identity.instance == "two"

    run(main())


def test_the_end_of_a_membership_is_told_once_and_acknowledged():
    ended = SubscribeResponse(deltas=[delta(1, 2, membership_ended=True)], position="p2", caught_up=True)

    async def ends(server, context):
        yield frame(0, 1, 1)
        yield ended
        await server.tokens.get()
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async def again(server, context):
        async for item in holds(ended, frame(2, 4, 4)):
            yield item

    async def main():
        server = Scripted()
        server.streams = [ends, again]
        notices = []
        async with serving(server) as target, Client(target, user="bob") as client:
            messages = client.receive(notices=notices.append)
            assert (await anext(messages)).sequence == 1
            server.tokens.put_nowait("break")
            assert (await anext(messages)).sequence == 4
            await client.flush_acks()
            told = [notice for notice in notices if not isinstance(notice, Lost | Restored)]
            assert [(notice.ended, notice.through) for notice in told] == [(True, 2)]
        acked = [ack for request in server.seen(AckMessagesRequest) for ack in request.acks]
        assert max(ack.ended_sequence for ack in acked) == 2
        assert 2 not in {ack.sequence for ack in acked}

    run(main())


def test_a_place_outlives_its_client():
    async def opens(server, context):
        async for item in holds(frame(0, 2, 1, 2)):
            yield item

    async def main():
        server = Scripted()
        server.streams = [opens]
        place = Place()
        async with serving(server) as target:
            async with Client(target, user="bob", place=place) as client:
                await take(client.receive(acks=False), 2)
            async with Client(target, user="bob", place=place) as client:
                update = await anext(client.subscribe())
        assert update.deltas[0].messages == ()
        assert server.seen(SubscribeRequest)[1].resume_after[0].sequence == 2

    run(main())


def test_a_room_is_told_of_once_before_anything_of_it_and_again_after_its_end():
    async def scripted(server, context):
        yield frame(0, 1)
        yield SubscribeResponse(deltas=[delta(3, 3, room="attic")], position="p", caught_up=True)
        yield frame(1, 2, 2)
        yield SubscribeResponse(deltas=[delta(2, 3, membership_ended=True)], position="p", caught_up=True)
        yield frame(4, 5, 5)
        await forever()

    async def main():
        server = Scripted()
        server.streams = [scripted]
        told = []
        async with serving(server) as target, Client(target, user="bob") as client:
            async for message in client.receive(entered=told.append):
                told.append(message.sequence)
                if message.sequence == 5:
                    break
        assert told == ["lobby", "attic", 2, "lobby", 5]

    run(main())
