"""Acknowledgements on their way: the latest of each room, one call in flight.

Invariants:
* At most one call is under way; what is acknowledged meanwhile waits, the highest of each room.
* That a membership ended is acknowledged beside what was read, and moves nothing of that.
* A call that may or may not have arrived is repeated, merged with what came since: cursors only grow.
* A refused acknowledgement is given up and logged: it would be refused again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping

from chatsys.client.errors import ChatError
from chatsys.client.retry import DEFAULT_RETRY, RetryPolicy

_LOG = logging.getLogger("chatsys.client")

#: Makes one call for what was read and for what ended, both by room; raises ChatError when it fails.
AckCall = Callable[[Mapping[str, int], Mapping[str, int]], Awaitable[object]]


class AckPump:
    """Acknowledges in the background. Needs a running event loop."""

    def __init__(self, call: AckCall, *, retry: RetryPolicy = DEFAULT_RETRY) -> None:
        self._call = call
        self._retry = retry
        self._random = random.Random()
        self._waiting: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        self._epoch = 0
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    def ack(self, room: str, sequence: int) -> None:
        """Acknowledge a room up to a sequence, soon."""
        self._add(self._waiting, room, sequence)

    def ended(self, room: str, sequence: int) -> None:
        """Acknowledge that a membership ended at a sequence, soon."""
        self._add(self._ended, room, sequence)

    def _add(self, waiting: dict[str, int], room: str, sequence: int) -> None:
        if self._closed:
            return
        _raise(waiting, room, sequence)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="acks")

    def forget(self) -> None:
        """Drop what is waiting: its sequences mean nothing any more."""
        self._waiting.clear()
        self._ended.clear()
        self._epoch += 1

    async def flush(self) -> None:
        """Wait until everything acknowledged so far was answered, or given up."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """Stop at once and for good; what is on its way may or may not arrive."""
        self._closed = True
        self._waiting.clear()
        self._ended.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        tries = 0
        try:
            while self._waiting or self._ended:
                acks, self._waiting = self._waiting, {}
                ended, self._ended = self._ended, {}
                epoch = self._epoch
                try:
                    await self._call(acks, ended)
                    tries = 0
                except ChatError as fault:
                    if not fault.retryable:
                        _LOG.warning("acknowledgement %s %s refused: %s", acks, ended, fault)
                        continue
                    if epoch == self._epoch:
                        for said, waiting in ((acks, self._waiting), (ended, self._ended)):
                            for room, sequence in said.items():
                                _raise(waiting, room, sequence)
                    tries += 1
                    pause = self._retry.pause(tries, self._random.random(), fault)
                    await asyncio.sleep(
                        pause
                    )  # the back-off of the retry policy; later ones join what is waiting
        finally:
            self._task = None


def _raise(waiting: dict[str, int], room: str, sequence: int) -> None:
    waiting[room] = max(sequence, waiting.get(room, 0))
