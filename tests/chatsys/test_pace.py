"""How long a group waits for one more, by a clock of our own."""

import pytest

from chatsys.store.pace import LONGEST, Pace


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def play(pace, clock, submissions, takes=0.001):
    pace.begin()
    pace.commit(submissions)
    clock.now += takes
    pace.committed()


def test_who_sends_one_after_another_is_never_held_up(clock):
    pace = Pace(clock)
    for _ in range(5):
        play(pace, clock, 1)
        pace.begin()
        assert pace.patience() <= 0


def test_after_several_the_next_waits_as_long_as_a_commit_takes_and_not_for_ever(clock):
    pace = Pace(clock)
    for _ in range(200):
        play(pace, clock, 3, takes=0.002)
    pace.begin()
    assert pace.patience() == pytest.approx(0.002, rel=0.01)
    waited = 0.0
    while (patience := pace.patience()) > 0:
        clock.now += patience
        waited += patience
    assert waited == pytest.approx(0.002 * LONGEST, rel=0.01)


def test_a_disk_that_stalls_does_not_slow_down_what_comes_after_it(clock):
    pace = Pace(clock)
    for takes in (0.001, 30.0):
        play(pace, clock, 3, takes)
    pace.begin()
    assert 0.001 < pace.patience() < 0.0013


def test_a_group_of_one_ends_the_waiting(clock):
    pace = Pace(clock)
    play(pace, clock, 9)
    play(pace, clock, 1)
    pace.begin()
    assert pace.patience() <= 0
