"""The scenario clock leaves out empty waiting and nothing else."""

import asyncio
import time

import pytest

from harness.run.clock import Clock

MS = 1_000_000


def test_at_max_an_hour_of_waiting_takes_no_time_and_counts_as_an_hour():
    async def scenario():
        clock = Clock(None)
        begun = time.monotonic()
        await clock.pause(3_600_000 * MS)
        assert clock.now() >= 3_600_000 * MS
        assert clock.paused_ns >= 3_600_000 * MS * 0.99
        return time.monotonic() - begun

    assert asyncio.run(scenario()) < 60  # an hour's wait, not a measurement


def test_the_clock_runs_at_real_rate_while_something_is_in_flight():
    real = [0]

    async def scenario():
        clock = Clock(None, lambda: real[0])
        with clock.in_flight():
            waiting = asyncio.ensure_future(clock.pause(50 * MS))
            await asyncio.sleep(0)
            real[0] += 10 * MS
            assert clock.now() == 10 * MS
            assert not waiting.done()
        await waiting  # nothing is in flight any more: now it may jump
        assert clock.now() == 50 * MS

    asyncio.run(scenario())


def test_at_ten_times_the_speed_a_pause_takes_a_tenth():
    real = [0]
    clock = Clock(10.0, lambda: real[0])
    real[0] += 70 * MS
    assert clock.now() == 700 * MS


def test_a_pause_that_is_due_already_does_not_wait():
    async def scenario():
        clock = Clock(1.0)
        await clock.pause_until(0)
        assert clock.paused_ns == 0

    asyncio.run(scenario())


def test_a_cancelled_pause_gives_its_lane_back():
    async def scenario():
        clock = Clock(None)
        with clock.in_flight():
            waiting = asyncio.ensure_future(clock.pause(1000 * MS))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        await clock.pause(1000 * MS)
        assert clock.now() >= 1000 * MS

    asyncio.run(scenario())


def test_the_end_of_the_last_lane_does_not_let_time_jump_before_what_follows_it():
    async def scenario():
        clock = Clock(None)
        outer = clock.fork(2)
        seen = []

        async def sleeper():
            outer.begin(1)
            await clock.pause(1000 * MS)
            seen.append("woken")

        sleeping = asyncio.ensure_future(sleeper())
        sleeping.add_done_callback(lambda _: outer.end())
        await asyncio.sleep(0)
        inner = clock.fork(2)
        inner.end()
        inner.end()
        await asyncio.sleep(0)
        seen.append("what follows the lanes")
        outer.end()
        await sleeping
        return seen

    assert asyncio.run(scenario()) == ["what follows the lanes", "woken"]


@pytest.mark.parametrize("speed", [None, 1.0])
def test_equal_due_times_go_in_the_order_of_the_file_not_of_asking(speed):
    async def scenario():
        clock = Clock(speed)
        lanes = clock.fork(3)
        seen = []

        async def lane(number):
            lanes.begin(number)
            for _ in range(2 - number):  # the first of the file asks last
                await asyncio.sleep(0)
            await clock.pause_until(50 * MS)
            seen.append(number)

        tasks = [asyncio.ensure_future(lane(number)) for number in range(3)]
        for task in tasks:
            task.add_done_callback(lambda _: lanes.end())
        await asyncio.wait(tasks)
        return seen

    assert asyncio.run(scenario()) == [0, 1, 2]


def test_time_in_which_only_some_lanes_wait_is_no_waiting():
    real = [0]

    async def scenario():
        clock = Clock(None, lambda: real[0])
        lanes = clock.fork(2)

        async def waits():
            lanes.begin(0)
            await clock.pause(100 * MS)

        waiting = asyncio.ensure_future(waits())
        waiting.add_done_callback(lambda _: lanes.end())
        await asyncio.sleep(0)
        real[0] += 60 * MS  # the other lane does something for so long
        lanes.end()
        await waiting
        assert clock.paused_ns == 40 * MS

    asyncio.run(scenario())
