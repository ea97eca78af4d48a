"""How a call ended, for whoever watches: logs, metrics, traces. The router tells each of them once a call.

Invariant: what is told holds no content and no token; so a watcher cannot give away either.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatsys.errors import Refusal

REQUEST_KEY = "chatsys-request"
"""Metadata key of a request id: a caller may give one, and gets the one in use with every refusal."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestEnd(NamedTuple):
    """One call that has ended."""

    method: str
    """``Service/Method``, without the package."""
    lasts: bool
    """Whether it is of those that last until somebody ends them."""
    request_id: str
    user_id: str
    room_id: str
    """The room that was asked about; empty where a request names none, or several."""
    refusal: Refusal | None
    seconds: float
    parent: str
    """The caller's traceparent; empty for none."""


Watcher = Callable[[RequestEnd], None]


def all_of(watchers: Sequence[Watcher]) -> Watcher | None:
    """One that tells all; None when there are none, so that nothing is put together for nobody."""
    if len(watchers) < 2:
        return watchers[0] if watchers else None

    def tell(end: RequestEnd) -> None:
        for watcher in watchers:
            watcher(end)

    return tell


class RequestIds:
    """Ids for calls of callers who gave none.

    Args:
        prefix: Begins each of them; not that of another process.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._numbers = itertools.count(1)

    def get(self, given: str) -> str:
        """The id that a caller gave, if it is one, else a new one."""
        return given if _ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers)}"
