"""What a driver in Python begins from when its server is only ever asked: `open`, `close`, `read`, and it polls.

A subclass says how to come online, how to go, and how to fetch what is new; when to fetch is decided here.

Invariants:
* One `read` at a time; its messages are delivered in the order of its answer, each once.
* A fence is reached by the polls of a client that polls, and polls itself for one that does not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from harness.drivers.base import Driver
from harness.drivers.request import Request, RequestError

#: Pace of a client that polls all the time, seconds.
PACE: Final = 0.05
#: How long one such poll may take, seconds.
POLL_WITHIN: Final = 2.0


class Received(NamedTuple):
    """One message that the server handed out."""

    room: str
    message: str
    """The id it was sent under."""
    text: str
    sender: str
    """User id."""
    sequence: int | None = None


class PollingDriver(Driver):
    """One client of a server that pushes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._polling: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._number = 0

    # --- for subclasses to override ---

    async def open(self, request: Request) -> Mapping[str, Any] | None:
        """Come online at `request.address()`; return what the answer of `connect` says."""
        raise NotImplementedError

    async def close(self) -> None:
        """Go offline. Called too when `open` failed half way."""
        raise NotImplementedError

    async def read(self, within: float) -> Sequence[Received]:
        """Fetch all that is new, or the oldest part of it; nothing when there is nothing new."""
        raise NotImplementedError

    # --- ops ---

    async def connect(self, request: Request) -> Mapping[str, Any] | None:
        """Come online, and begin to poll."""
        try:
            answer = await self.open(request)
        except BaseException:  # also when the request is cancelled: who is not online holds nothing
            with contextlib.suppress(AttributeError):  # what `open` did not get to make
                await self.close()
            raise
        if self.receive == "poll" and self.role == "client":
            self._polling = asyncio.create_task(self._keep_polling())
        return answer

    async def disconnect(self, _request: Request) -> None:
        """Stop polling and go offline."""
        await self.cancel_others()
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.wait([self._polling])
            self._polling = None
        await self.close()

    async def poll(self, request: Request) -> None:
        """Read until nothing new comes, or until `max` messages came."""
        most = request.number("max", 0)
        left = most
        while count := await self._read(request.within, request=request.id):
            left -= count
            if most and left <= 0:
                return

    async def fence(self, request: Request) -> Mapping[str, Any] | None:
        """Wait for the markers; one who reads only when told reads now."""
        if self.receive != "manual":
            return await super().fence(request)
        pumping = asyncio.create_task(self._keep_polling())
        try:
            return await super().fence(request)
        finally:
            pumping.cancel()
            await asyncio.wait([pumping])

    async def leave_now(self) -> None:
        """Close without waiting for anything."""
        if self.is_connected:
            await self.close()

    # --- reading ---

    async def _keep_polling(self) -> None:
        lost = False
        while True:
            fault = await self._poll_numbered()
            if (fault is not None) != lost:
                lost = fault is not None
                self.event("connection", state="lost" if lost else "restored", **_reason(fault))
            if fault is not None and fault.definite:
                return
            await asyncio.sleep(PACE)  # a server that pushes nothing is asked again and again: how often

    async def _poll_numbered(self) -> RequestError | None:
        """Poll once, telling so before and after; return what went wrong."""
        self._number += 1
        number = self._number
        self.event("poll", poll=number)
        try:
            await self._read(POLL_WITHIN, poll=number)
        except RequestError as fault:
            self.event("polled", poll=number, error=fault.to_json())
            return fault
        except asyncio.CancelledError:
            stopped = RequestError("CANCELLED", "STOPPED", "the driver stopped waiting for it")
            self.event("polled", poll=number, error=stopped.to_json())
            raise
        self.event("polled", poll=number, ok={})
        return None

    async def _read(self, within: float, **via: int) -> int:
        async with self._turn:
            received = await self.read(within)
            for one in received:
                self.deliver(one.room, one.message, one.sender, one.text, one.sequence, **via)
            return len(received)


def _reason(fault: RequestError | None) -> dict[str, str]:
    return {} if fault is None else {"reason": fault.reason or fault.code}
