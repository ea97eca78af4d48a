"""Whatever order things come in: each submission goes to the writer once, in order, one group at a time, and soon."""

import heapq
from itertools import count
from types import SimpleNamespace
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from chatsys.core.entry import Leave
from chatsys.core.model import Caller
from chatsys.store import gathering as module
from chatsys.store.gathering import MAX_GROUP, MAX_TELLING, Gathering
from chatsys.store.pace import LONGEST, Pace
from chatsys.store.writer import Work

ENTRY = Leave(Caller("alice", admin=False), 1, "r")
SLOWEST = 0.005
"""What one commit counts for at most; see Pace."""


class Timer:
    def __init__(self, call):
        self.call = call

    def cancel(self):
        self.call = None


class Loop:
    """As far as it is used, by a clock of our own."""

    def __init__(self):
        self.now = 1000.0
        self._ready = []
        self._timers = []
        self._number = count()

    def time(self):
        return self.now

    def call_soon(self, function, *arguments):
        self._ready.append((function, arguments))

    def call_later(self, seconds, function, *arguments):
        timer = Timer((function, arguments))
        heapq.heappush(self._timers, (self.now + seconds, next(self._number), timer))
        return timer

    def turn(self):
        while self._timers and self._timers[0][0] <= self.now:
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                self._ready.append(timer.call)
        ready, self._ready = self._ready, []
        for function, arguments in ready:
            function(*arguments)

    def settle(self):
        while self._ready:
            self.turn()

    def wait(self, seconds):
        """Lets time pass, from timer to timer."""
        until = self.now + seconds
        while self._timers and self._timers[0][0] <= until:
            self.now = max(self.now, self._timers[0][0])
            self.turn()
            self.settle()
        self.now = until

    @property
    def timers(self):
        return sum(timer.call is not None for _, _, timer in self._timers)


class World:
    def __init__(self):
        self.loop = Loop()
        with patch.object(module, "asyncio", SimpleNamespace(get_running_loop=lambda: self.loop)):
            self.gathering = Gathering(self.write)
        self.gathering._pace = Pace(self.loop.time)
        self.submitted = []
        self.groups = []
        self.writing = None
        self.ended = False

    def write(self, group):
        assert group
        assert self.writing is None or self.ended, "the writer has one group at most"
        assert sum(len(work.entries) for work in group[:-1]) < MAX_GROUP
        self.writing = group
        self.groups.append([work.token for work in group])

    def submit(self, sizes):
        for size in sizes:
            self.gathering.submit(Work([ENTRY] * size, None, len(self.submitted)))
            self.submitted.append(size)

    def written(self, seconds):
        if self.writing is not None:
            group, self.writing = self.writing, None
            self.gathering.written(len(group), seconds)

    def check(self):
        given = [token for group in self.groups for token in group]
        assert given == list(range(len(given))), "each once, in order"
        assert len(given) + len(self.gathering) == len(self.submitted), "none is lost"

    def quiet(self):
        """Nobody says that the news are out, and nobody comes; the writer is quick."""
        for _ in range(len(self.submitted) + 2):
            self.written(0.001)
            self.loop.settle()
            self.loop.wait(MAX_TELLING + LONGEST * SLOWEST)
        assert len(self.gathering) == 0, "none waits for ever"
        assert self.loop.timers == 0


SIZES = st.lists(
    st.sampled_from([0, 1, 1, 1, 3, MAX_GROUP // 2, MAX_GROUP, MAX_GROUP * 2]), min_size=1, max_size=4
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), SIZES),
        st.tuples(st.just("written"), st.sampled_from([0.0, 0.0003, 0.002, 3.0])),
        st.tuples(st.just("free"), st.just(0)),
        st.tuples(st.just("turn"), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([0.0001, 0.001, 0.004, 0.03])),
    ),
    max_size=60,
)


def played(steps):
    world = World()
    for what, value in steps:
        match what:
            case "submit":
                world.submit(value)
            case "written":
                world.written(value)
            case "free":
                world.gathering.free()  # whoever says so: also somebody who is late with an older group
            case "turn":
                world.loop.turn()
            case "wait":
                world.loop.wait(value)
        world.check()
    return world


@given(STEPS)
def test_each_goes_out_once_in_order_and_none_waits_for_ever(steps):
    world = played(steps)
    world.quiet()
    world.check()


@given(STEPS)
def test_a_writer_without_a_group_gets_one_soon(steps):
    world = played(steps)
    world.quiet()
    world.submit([1])
    before = world.loop.now
    while len(world.gathering):
        world.loop.wait(0.0001)
        world.loop.settle()
        assert world.loop.now - before < LONGEST * SLOWEST + 0.001


@given(STEPS)
def test_at_the_end_all_goes_out_and_nothing_is_left_that_rings(steps):
    world = played(steps)
    world.ended = True
    world.gathering.end()
    assert len(world.gathering) == 0
    assert world.loop.timers == 0
    groups = len(world.groups)
    world.loop.settle()
    world.loop.wait(1.0)
    assert len(world.groups) == groups
    world.check()
