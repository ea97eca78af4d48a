"""``Pace``: how long a group of submissions waits for one more before it is committed.

A commit costs about the same for one submission as for fifty. So a group that comes after one of several waits for
more, as long as each comes sooner than a commit takes, and for ``LONGEST`` commits in all. A group that comes after
one of a single submission does not wait: whoever sends now and then, or one after another, is never held up.
"""

import time
from collections.abc import Callable

LONGEST = 8
"""Commits' time that a group waits at most, in all."""
_USUAL = 0.001
# Seconds that a commit takes, before one was seen.
_MOST = 0.005
# No commit counts for longer: a disk that stalls once must not slow down the groups after it.
_WEIGHT = 1 / 16
# Of the latest commit in what one usually takes.


class Pace:
    """The pace of one writer; of its thread only.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cost = _USUAL
        self._several = False
        self._until = 0.0
        self._began = 0.0

    def begin(self) -> None:
        """A group has got its first submission."""
        self._until = self._clock() + self._cost * LONGEST if self._several else 0.0

    def patience(self) -> float:
        """Seconds to wait for one more submission now; not above 0 for none."""
        if not self._several:
            return 0.0
        return min(self._cost, self._until - self._clock())

    def commit(self, submissions: int) -> None:
        """A group of so many is written now."""
        self._several = submissions > 1
        self._began = self._clock()

    def committed(self) -> None:
        """It is written."""
        took = min(self._clock() - self._began, _MOST)
        self._cost += (took - self._cost) * _WEIGHT
