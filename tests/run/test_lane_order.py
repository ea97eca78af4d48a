"""At max, and at any other speed, lanes do everything in the order in which they do it in real time.

Played on a loop whose time passes only when nothing can be done, so that a real-time run takes no time either.
"""

import asyncio
import selectors

from hypothesis import given
from hypothesis import strategies as st

from harness.run.clock import Clock

MS = 1_000_000


class Still(selectors.SelectSelector):
    """Waits for a timer by moving the hand of the clock."""

    hand = 0.0

    def select(self, timeout=None):
        assert timeout is not None, "everybody waits, and nothing will wake anybody"
        self.hand += timeout
        return super().select(0)


class StillLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.still = Still()
        super().__init__(self.still)

    def time(self):
        return self.still.hand


#: (what, how long in steps of 10 ms)
DOINGS = st.tuples(st.sampled_from(["pause", "at", "work", "fault"]), st.integers(0, 8))


def played(lanes, speed):
    """Play lanes; return what was done, in order, and the scenario time of it."""
    loop = StillLoop()
    clock = Clock(speed, lambda: round(loop.time() * 1e9))
    seen = []

    async def later(length, what):
        await clock.pause(length)
        seen.append((clock.now(), what))

    async def do(group, number, doings):
        group.begin(number)
        zero = clock.now()
        for place, (what, size) in enumerate(doings):
            length = size * 10 * MS
            if what == "pause":
                await clock.pause(length)
            elif what == "at":
                await clock.pause_until(zero + length)
            elif (
                what == "work"
            ):  # real time; each piece ends at a moment of its own, for two at once have no order
                await asyncio.sleep((length + (1 << number * 6 + place) * 10) / 1e9)
            else:  # begins now, ends by itself; the clock is held meanwhile
                clock.enter()
                clock.enter()
                healing = asyncio.ensure_future(later(length, (number, place, "healed")))
                for _ in range(2):
                    healing.add_done_callback(lambda _: clock.leave())
                faults.append(healing)
            seen.append((clock.now(), (number, place, what)))

    faults = []

    async def scenario():
        group = clock.fork(len(lanes))
        tasks = [asyncio.ensure_future(do(group, number, doings)) for number, doings in enumerate(lanes)]
        for task in tasks:
            task.add_done_callback(lambda _: group.end())
        await asyncio.wait(tasks)
        if faults:
            await asyncio.wait(faults)

    try:
        loop.run_until_complete(scenario())
    finally:
        loop.close()
    return seen, loop.still.hand


@given(st.lists(st.lists(DOINGS, min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_order_at_max_is_that_of_real_time(lanes):
    real, _ = played(lanes, 1.0)
    quick, took = played(lanes, None)
    assert quick == real
    work = [size for doings in lanes for what, size in doings if what in ("work", "fault")]
    assert took <= sum(work) * 0.010 + 0.2  # never longer than what cannot be left out


def test_waiting_alone_takes_no_time_at_max():
    quick, took = played([[("pause", 8), ("at", 8)], [("pause", 3), ("pause", 8)]], None)
    assert [moment // (10 * MS) for moment, _ in quick] == [3, 8, 8, 11]
    assert took == 0
