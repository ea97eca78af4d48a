"""By which means a fault is done and undone; one class for the network, one for the disk, one for single calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class NotDoneError(Exception):
    """The fault, or its end, did not come about; the text says why."""


class UnsureError(Exception):
    """It was done, and nothing shows whether it took effect; the text says what was waited for."""


class Means(Protocol):
    """Does faults of some verbs. Both methods return what the history says of it, beside what was asked for."""

    async def begin(self, action: Any, within_s: float) -> Mapping[str, Any]:
        """Begin a fault; when this returns, it has taken effect.

        Raises:
            NotDoneError: it has not.
            UnsureError: nobody knows.
        """
        ...

    async def end(self, fault: str, targets: Sequence[str], within_s: float) -> Mapping[str, Any]:
        """End the fault of this id on these targets, and see that it is over.

        Raises:
            NotDoneError: it is not.
            UnsureError: nobody knows.
        """
        ...
