"""How long a group waits for one more, by a clock of our own."""

import pytest

from chatsys.store.pace import LONGEST, WAITS_ON, Pace


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def begun(clock):
    """A group that begins after others of these sizes."""

    def begin(*sizes, takes=0.001):
        pace = Pace(clock)
        for size in sizes:
            pace.committed(size, takes)
        pace.came()
        pace.begin()
        return pace

    return begin


def test_who_sends_one_after_another_is_never_held_up(begun):
    for groups in range(WAITS_ON * 2):
        assert begun(*[1] * groups).patience(1) <= 0


def test_after_several_a_group_waits_for_as_many_as_there_were(begun):
    pace = begun(9, 3)
    assert pace.patience(8) > 0
    assert pace.patience(9) <= 0


def test_it_waits_as_long_as_a_commit_takes_for_each(begun, clock):
    pace = begun(*[30] * 200, takes=0.002)
    assert pace.patience(1) == pytest.approx(0.002, rel=0.01)
    clock.now += 0.0015
    assert pace.patience(1) == pytest.approx(0.0005, rel=0.05)
    pace.came()
    assert pace.patience(2) == pytest.approx(0.002, rel=0.01)
    clock.now += 0.0021
    assert pace.patience(2) <= 0


def test_it_does_not_wait_for_ever(begun, clock):
    pace = begun(*[500] * 200, takes=0.002)
    began, gathered = clock.now, 1
    while (patience := pace.patience(gathered)) > 0:
        clock.now += patience / 2
        pace.came()
        gathered += 1
    assert clock.now - began == pytest.approx(0.002 * LONGEST, rel=0.01)


def test_now_and_then_one_waits_for_more_than_there_were(begun):
    waiting = [groups for groups in range(2, WAITS_ON * 3) if begun(*[5] * groups).patience(5) > 0]
    assert waiting == [WAITS_ON, WAITS_ON * 2]


def test_a_disk_that_stalls_does_not_slow_down_what_comes_after_it(begun, clock):
    pace = begun(3)
    pace.committed(3, 30.0)
    pace.came()
    assert 0.001 < pace.patience(1) < 0.0013


def test_a_group_of_one_ends_the_waiting(begun):
    assert begun(9, 1).patience(1) <= 0
