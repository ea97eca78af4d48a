"""``Pace``: how long a group of submissions waits for one more before it is committed.

A commit costs about the same for one submission as for fifty. So a group that comes after one of several waits for
more, as long as each comes sooner than a commit takes, and for ``LONGEST`` commits in all. As a rule it waits for no
more than there were in the larger of the two groups before it: those who wait for their answers cannot send. Now and
then one waits on, to see whether there are more by now. A group that comes after one of a single submission does not
wait: whoever sends now and then, or one after another, is never held up.
"""

import time
from collections.abc import Callable

LONGEST = 8
"""Commits' time that a group waits at most, in all."""
WAITS_ON = 16
"""One of so many groups waits on."""
_USUAL = 0.001
# Seconds that a commit takes, before one was seen.
_MOST = 0.005
# No commit counts for longer: a disk that stalls once must not slow down the groups after it.
_WEIGHT = 1 / 16
# Of the latest commit in what one usually takes.


class Pace:
    """The pace of one writer.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._cost = _USUAL
        self._sizes = (0, 0)  # of the two latest groups
        self._groups = 0
        self._until = 0.0
        self._latest = 0.0

    def begin(self) -> None:
        """A group begins to gather: there is a submission, and nothing else that holds it up."""
        self._until = self._clock() + self._cost * LONGEST

    def came(self) -> None:
        """There is one more submission."""
        self._latest = self._clock()

    def patience(self, gathered: int) -> float:
        """Seconds that a group of so many waits for one more, from now; not above 0 for none."""
        enough = gathered >= max(self._sizes) and self._groups % WAITS_ON
        if self._sizes[1] < 2 or enough:
            return 0.0
        return min(self._latest + self._cost, self._until) - self._clock()

    def committed(self, submissions: int, seconds: float) -> None:
        """A group of so many was written in so many seconds."""
        self._sizes = (self._sizes[1], submissions)
        self._groups += 1
        self._cost += (min(seconds, _MOST) - self._cost) * _WEIGHT
