"""When to try again: pure arithmetic over a deadline, with time and randomness as arguments."""

from __future__ import annotations

from typing import NamedTuple

from chatsys.client.errors import ChatError


class RetryPolicy(NamedTuple):
    """How one call is repeated inside its caller's deadline. All times in seconds."""

    try_timeout: float = 1.0
    """After this a try counts as lost and the next one starts."""
    first_pause: float = 0.05
    longest_pause: float = 1.0

    def pause(self, tries: int, chance: float, fault: ChatError | None = None) -> float:
        """Return how long to wait after the `tries`-th failed try, in a row, counted from 1.

        Args:
            tries: failed tries so far.
            chance: a random number in [0, 1): the pause is spread over its upper half, so that clients that
                lost the same server do not come back all at once.
            fault: what the last try ended with; its own wish for a pause is the least.
        """
        pause = min(self.first_pause * 2.0 ** min(tries - 1, 30), self.longest_pause) * (0.5 + chance / 2)
        wished = fault.retry_after if fault is not None and fault.retry_after is not None else 0.0
        return max(pause, wished)


#: What the library uses unless told otherwise.
DEFAULT_RETRY = RetryPolicy()
