"""Which submissions are written together, by a writer that only notes what it is given."""

import asyncio

import pytest

from chatsys.core.entry import Leave
from chatsys.core.model import Caller
from chatsys.store.gathering import MAX_GROUP, Gathering
from chatsys.store.writer import Work

ENTRY = Leave(Caller("alice", admin=False), 1, "r")


class Writer:
    """Has one group at a time; the test says when it is done with it."""

    def __init__(self):
        self.groups = []
        self.gathering = Gathering(self._write)
        self._given = asyncio.Event()

    def submit(self, *names, entries=1):
        for name in names:
            self.gathering.submit(Work([ENTRY] * entries, None, name))

    def _write(self, group):
        self.groups.append([work.token for work in group])
        self._given.set()

    async def group(self):
        """The next one it is given."""
        await self._given.wait()
        self._given.clear()
        return self.groups[-1]

    def done(self, seconds=0.001):
        self.gathering.written(len(self.groups[-1]), seconds)
        self.gathering.free()


@pytest.fixture
def with_writer():
    def run(body):
        async def made():
            async with asyncio.timeout(10):
                await body(Writer())

        asyncio.run(made())

    return run


def test_what_comes_in_one_turn_of_the_loop_is_one_group(with_writer):
    async def body(writer):
        writer.submit("a", "b")
        asyncio.get_running_loop().call_soon(writer.submit, "c")
        assert await writer.group() == ["a", "b"]
        assert len(writer.gathering) == 1

    with_writer(body)


def test_the_writer_has_one_group_at_a_time_and_what_comes_meanwhile_is_the_next(with_writer):
    async def body(writer):
        writer.submit("a")
        await writer.group()
        for name in "bcd":
            writer.submit(name)
            await asyncio.sleep(0)
        assert writer.groups == [["a"]]
        writer.done()
        assert await writer.group() == ["b", "c", "d"]

    with_writer(body)


def test_the_news_of_a_group_go_out_before_the_next_is_written(with_writer):
    async def body(writer):
        writer.submit("a")
        await writer.group()
        writer.submit("b")
        writer.gathering.free()  # by somebody who was late with the group before
        await asyncio.sleep(0)
        assert writer.groups == [["a"]]
        writer.gathering.written(1, 0.001)
        await asyncio.sleep(0)
        assert writer.groups == [["a"]]
        writer.gathering.free()
        assert await writer.group() == ["b"]

    with_writer(body)


def test_nobody_who_does_not_take_his_news_stops_the_others(with_writer):
    async def body(writer):
        writer.submit("a")
        await writer.group()
        writer.submit("b")
        writer.gathering.written(1, 0.001)
        assert await writer.group() == ["b"]

    with_writer(body)


def test_after_several_a_group_waits_for_as_many_and_no_longer_than_it_is_worth(with_writer):
    async def body(writer):
        writer.submit("a", "b", "c")
        await writer.group()
        writer.done(seconds=0.005)
        writer.submit("d")
        for _ in range(3):
            await asyncio.sleep(0)
        assert len(writer.groups) == 1
        writer.submit("e", "f")
        assert await writer.group() == ["d", "e", "f"]
        writer.done(seconds=0.005)
        writer.submit("g")
        assert await writer.group() == ["g"]  # though nobody else comes

    with_writer(body)


def test_a_group_is_no_larger_than_it_may_be(with_writer):
    async def body(writer):
        writer.submit("a")
        await writer.group()
        writer.submit("b", "c", "d", entries=MAX_GROUP // 2)
        writer.done()
        assert await writer.group() == ["b", "c"]
        writer.done()
        assert await writer.group() == ["d"]

    with_writer(body)


def test_at_the_end_all_goes_to_the_writer_at_once(with_writer):
    async def body(writer):
        writer.submit("a")
        await writer.group()
        writer.submit("b", entries=MAX_GROUP)
        writer.submit("c")
        writer.gathering.end()
        assert writer.groups == [["a"], ["b"], ["c"]]
        assert len(writer.gathering) == 0

    with_writer(body)
