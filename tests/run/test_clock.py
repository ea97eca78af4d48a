"""The scenario clock leaves out empty waiting and nothing else."""

import asyncio
import time
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=5), min_size=1, max_size=4))
def test_lanes_wake_in_the_order_of_their_due_times_then_of_asking(lanes):
    """At max the order of events is that of a simulation with exact times."""

    async def scenario():
        frozen = [0]
        clock = Clock(None, lambda: frozen[0])
        clock._busy = len(lanes)
        seen = []

        async def lane(name, pauses):
            for pause in pauses:
                await clock.pause(pause * MS)
                seen.append((clock.now(), name))
            clock._busy -= 1
            clock._skip()

        # The loop's own timers stand still like the clock: on a busy machine they would go off before it.
        with patch.object(asyncio.get_running_loop(), "time", lambda: 0.0):
            await asyncio.gather(*(lane(name, pauses) for name, pauses in enumerate(lanes)))
        return seen

    seen = asyncio.run(scenario())
    times = [moment for moment, _ in seen]
    assert times == sorted(times)
    expected = sorted(sum(pauses[: i + 1]) * MS for pauses in lanes for i in range(len(pauses)))
    assert times == expected
