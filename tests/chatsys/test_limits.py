"""Limits: the bucket's arithmetic, counts that hold at once, and how a client takes it."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from chatsys.client import Client, Outgoing, Sent
from chatsys.errors import Reason, Refusal
from chatsys.server import limits
from chatsys.server.limits import Rate
from chatsys.server.settings import Limits
from chatsys.v1 import chat_pb2, room_pb2

SERVE = [sys.executable, "-m", "chatsys.server.main"]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def refused_for(rate, user, tokens):
    """How long to wait, or None when it was let through."""
    try:
        rate.take(user, tokens)
    except Refusal as refusal:
        return refusal.retry_after if refusal.reason is Reason.RATE_LIMITED else -1.0
    return None


def test_a_burst_and_then_the_rate():
    clock = Clock()
    rate = Rate(2.0, 3, clock)
    assert [refused_for(rate, "alice", 1) for _ in range(4)] == [None, None, None, 0.5]
    assert refused_for(rate, "bob", 1) is None, "each has a bucket of his own"
    clock.now = 0.5
    assert [refused_for(rate, "alice", 1) for _ in range(2)] == [None, 0.5]


def test_a_batch_larger_than_the_bucket_is_paid_for_afterwards():
    clock = Clock()
    rate = Rate(10.0, 5, clock)
    assert refused_for(rate, "alice", 20) is None
    assert refused_for(rate, "alice", 1) == pytest.approx(1.6)


def test_without_a_rate_there_is_no_limit():
    assert refused_for(Rate(0.0, 1, Clock()), "alice", 10**9) is None


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30)), max_size=40))
def test_waiting_as_long_as_was_said_helps_and_the_rate_holds(steps):
    clock = Clock()
    rate = Rate(7.0, 10, clock)
    taken = 0
    for pause, tokens in steps:
        clock.now += pause
        wait = refused_for(rate, "alice", tokens)
        if wait is not None:
            clock.now += wait + 1e-9
            assert refused_for(rate, "alice", tokens) is None
        taken += tokens
        assert taken - tokens <= 10 + 7.0 * clock.now + 1e-6


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "MAX_BUCKETS", 4)
    clock = Clock()
    rate = Rate(1.0, 1, clock)
    for number in range(50):
        assert refused_for(rate, f"user-{number}", 1) is None
        assert len(rate._buckets) <= 4
        clock.now += 0.1


def test_a_client_waits_as_long_as_it_is_told(serving, play):
    served = serving(command=[*SERVE, "--send-rate", "20", "--send-burst", "2"])

    async def body():
        async with Client(served.address, user="alice") as alice:
            await alice.create_room("r")
            sent = await asyncio.gather(*(alice.send("r", str(number)) for number in range(8)))
            assert sorted(each.sequence for each in sent) == list(range(2, 10))
            batch = await alice.send_batch([Outgoing("r", "x")] * 5)
            assert all(isinstance(each, Sent) for each in batch)

    play(body())


def test_rate_limited_is_said_with_how_long(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--send-rate", "0.01", "--send-burst", "1"])

    async def body():
        async with stubs(served.address) as as_user:
            alice = as_user("alice")
            await as_user("root").create("r", "alice", "bob")
            await alice.send("r", "one")
            with refused("RATE_LIMITED") as why:
                await alice.send("r", "two")
            assert 50 < why[0].retry_after <= 100
            with refused("RATE_LIMITED"):
                stream = alice.SendMessages()
                await stream.write(
                    chat_pb2.SendMessagesRequest(
                        requests=[chat_pb2.SendMessageRequest(room_id="r", content=b"x")]
                    )
                )
                await stream.read()
            await as_user("bob").send("r", "each has his own")

    play(body())


def test_subscriptions_of_one_user(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--max-subscriptions", "2"])

    async def body():
        async with stubs(served.address) as as_user:
            bob = as_user("bob")
            first, second = bob.subscribe(consumer_id="a"), bob.subscribe(consumer_id="b")
            await first.read()
            await second.read()
            with refused("TOO_MANY_SUBSCRIPTIONS") as why:
                await bob.subscribe(consumer_id="c").read()
            assert why[0].metadata == {"limit": "2"}
            again = bob.subscribe(consumer_id="b")
            await again.read()
            other = as_user("carl").subscribe()
            await other.read()
            for stream in (first, again, other):
                stream.cancel()

    play(body())


def test_waiting_polls_count_as_subscriptions(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--max-subscriptions", "2"])

    async def body():
        async with stubs(served.address) as as_user:
            bob = as_user("bob")
            await as_user("root").create("r", "bob", "alice")
            stream = bob.subscribe(consumer_id="a")
            await stream.read()
            waiting = [asyncio.ensure_future(bob.poll(wait=Duration(seconds=9))) for _ in range(3)]
            done, open_ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 2:
                more, open_ = await asyncio.wait(open_, return_when=asyncio.FIRST_COMPLETED)
                done |= more
            for each in done:
                with refused("TOO_MANY_SUBSCRIPTIONS"):
                    await each
            await bob.poll()  # one that does not wait is nobody's reader
            await as_user("alice").send("r", "hi")
            (last,) = open_
            assert [m.content for d in (await last).deltas for m in d.messages] == [b"hi"]
            stream.cancel()

    play(body())


def test_who_takes_over_again_and_again_opens_no_more_streams_than_others():
    """A stream that was replaced lasts until its reader has gone, and who reads nothing never goes."""
    guard = limits.Guard(Limits(max_subscriptions=2))
    hub = cast("Any", SimpleNamespace(by_user={"bob": {"one", "two"}}, streams={("bob", "phone"): "two"}))
    guard.subscribing(hub, "bob", "phone")
    with pytest.raises(Refusal, match="2 streams and waiting polls"):
        guard.subscribing(hub, "bob", "desk")
    hub.by_user["bob"].add("three")  # it took over from two, which is not gone
    with pytest.raises(Refusal, match="2 streams and waiting polls"):
        guard.subscribing(hub, "bob", "phone")


def test_a_room_that_was_deleted_is_none_to_who_is_at_a_limit(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--max-rooms-per-user", "1"])

    async def body():
        async with stubs(served.address) as as_user:
            root, bob = as_user("root"), as_user("bob")
            await root.create("his", "bob")
            await root.create("gone", entry_open=True)
            await root.DeleteRoom(room_pb2.DeleteRoomRequest(room_id="gone"))
            for room_id in ("gone", "never"):
                with refused("NOT_A_MEMBER"):
                    await bob.JoinRoom(room_pb2.JoinRoomRequest(room_id=room_id))

    play(body())


def test_rooms_and_members(serving, stubs, play, refused):
    options = ["--max-rooms-per-user", "2", "--max-members-per-room", "3"]
    served = serving(command=[*SERVE, *options])

    async def body():
        async with stubs(served.address) as as_user:
            root, bob = as_user("root"), as_user("bob")
            with refused("TOO_MANY_MEMBERS"):
                await root.create("big", "a", "b", "c", "d")
            await root.create("one", "bob", entry_open=True)
            await root.create("two", entry_open=True)
            await root.create("three", entry_open=True)
            answers = await asyncio.gather(
                *(bob.JoinRoom(room_pb2.JoinRoomRequest(room_id=room)) for room in ("two", "three")),
                return_exceptions=True,
            )
            assert sorted(type(each) is grpc.aio.AioRpcError for each in answers) == [False, True]
            with refused("TOO_MANY_ROOMS"):
                await root.create("four", "bob")
            await bob.JoinRoom(room_pb2.JoinRoomRequest(room_id="one"))  # he is there already
            await root.add("one", "carl")
            await root.add("one", "dora")
            with refused("TOO_MANY_MEMBERS") as why:
                await root.add("one", "emil")
            assert why[0].metadata == {"limit": "3"}
            await root.kick("one", "dora")
            await root.add("one", "emil")

    play(body())


def test_metadata_and_requests_have_a_size(serving, stubs, play):
    served = serving(command=[*SERVE, "--max-metadata-bytes", "2048", "--max-request-bytes", "100KiB"])

    async def body():
        async with stubs(served.address) as as_user:
            alice = as_user("alice")
            await as_user("root").create("r", "alice")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await alice.send("r", "x" * 200_000)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            alice.metadata += (("x-large", "x" * 4_000),)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await alice.send("r", "hi")
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            await as_user("alice").poll(wait=Duration())

    play(body())
