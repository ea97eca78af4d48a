"""``Gathering``: what was submitted and is not written yet, in the loop's thread. It makes groups for the writer.

While the writer has a group, the next one gathers. That one goes out when the news of the one before have reached
those who wait for them (``free``), and once more is not worth waiting for (``Pace``): a busy server writes fewer,
larger groups. Invariants: the writer has one group at most; submissions stay in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from chatsys.store.pace import Pace
from chatsys.store.writer import Work

MAX_GROUP = 2_000
"""Entries at which a group is large enough, whatever comes, so that the first of them does not wait for ever."""
MAX_TELLING = 0.02
"""Seconds that a group waits for the fan-out of the one before; a blocked reader costs no more than this."""


class _State(Enum):
    FREE = auto()
    WRITING = auto()  # the writer has a group
    TELLING = auto()  # it is written, and its news are going out


class Gathering:
    """The submissions of one store.

    Args:
        write: Gives a group to the writer; ``written`` is to be called when it has been dealt with.
    """

    def __init__(self, write: Callable[[list[Work]], None]) -> None:
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Work] = deque()
        self._entries = 0
        self._state = _State.FREE
        self._pace = Pace()
        self._begun = False
        self._looking = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Submissions that wait."""
        return len(self._waiting)

    def submit(self, work: Work) -> None:
        """Takes one more. It goes out with what else comes in this turn of the loop."""
        self._waiting.append(work)
        self._entries += len(work.entries)
        self._pace.came()
        self._look_soon()

    def written(self, submissions: int, seconds: float) -> None:
        """The writer has dealt with its group, in so many seconds; ``free`` comes next, or its time is over."""
        self._pace.committed(submissions, seconds)
        self._state = _State.TELLING
        self._set_timer(MAX_TELLING, self.free)

    def free(self) -> None:
        """The news of the last group are out."""
        if self._state is _State.TELLING:
            self._state = _State.FREE
            self._set_timer(0.0, None)
            self._look_soon()

    def end(self) -> None:
        """Gives all that waits to the writer, at once."""
        self._set_timer(0.0, None)
        while self._waiting:
            self._hand_over()

    def _look_soon(self) -> None:
        if self._waiting and self._state is _State.FREE and not self._looking:
            self._looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Gives a group to the writer, unless it is worth waiting for more."""
        self._looking = False
        if not self._waiting or self._state is not _State.FREE:
            return
        if not self._begun:
            self._begun = True
            self._pace.begin()
        patience = self._pace.patience(len(self._waiting)) if self._entries < MAX_GROUP else 0.0
        if patience <= 0:
            self._set_timer(0.0, None)
            self._hand_over()
        elif self._timer is None:
            # Others that come meanwhile leave it as it is: when it is over, it is seen how much is left.
            self._set_timer(patience, self._look)

    def _hand_over(self) -> None:
        group: list[Work] = []
        entries = 0
        while self._waiting and entries < MAX_GROUP:
            work = self._waiting.popleft()
            group.append(work)
            entries += len(work.entries)
        self._entries -= entries
        self._begun = False
        self._state = _State.WRITING
        self._write(group)

    def _set_timer(self, seconds: float, then: Callable[[], None] | None) -> None:
        """One timer serves for all: a group either waits for more or for the news of the one before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if then is not None:
            self._timer = self._loop.call_later(seconds, self._ring, then)

    def _ring(self, then: Callable[[], None]) -> None:
        self._timer = None
        then()
