"""Receives by polling: all the time, or only when the script says so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chatsys.client import (
    ChatError,
    Client,
    Polled,
    RetryPolicy,
)
from harness.drivers.base import Driver
from harness.drivers.reading import Due, Teller, error_of
from harness.drivers.request import Request, RequestError

#: How long one poll waits at the server for a first message, seconds.
LONG_WAIT: Final = 25.0
#: How much longer than the server waits a poll may take, seconds.
SLACK: Final = 2.0
#: How long a manual client waits in one poll for a marker, seconds.
MARKER_WAIT: Final = 1.0


class PollReader:
    """Receives by polling: all the time (`receive: poll`), or only when told to (`manual`)."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._teller = Teller(driver, client)
        self._due = Due()
        self._number = 0
        self._fences = 0
        self._free = asyncio.Event()
        self._free.set()
        self._turn = asyncio.Lock()
        self._long_poll: asyncio.Task[Polled] | None = None
        self._lost = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, within: float) -> str:
        """Poll once, or where only the script polls, look whether the server is there."""
        if self._driver.receive == "manual":
            return (await self._client.server_info(within=within)).position
        first = await self._poll_numbered((), 0.0, within, patient=True)
        self._task = asyncio.create_task(self._poll_on())
        return first.position

    async def stop(self, grace: float = 0.0) -> None:
        """Stop polling; acknowledge what the next poll would have."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if grace and self._due and self._driver.acks == "auto":
            try:
                await self._teller.ack(self._due.read, self._due.ended, within=grace)
            except ChatError:
                return  # Unacknowledged it stays: it was not handed over for good.

    async def read(self, request: Request) -> Mapping[str, Any]:
        """Poll until caught up with the positions of the request, or until its `max` messages came."""
        positions, wanted = request.texts("positions"), request.number("max", 0)
        due = Due()
        count = 0
        deadline = asyncio.get_running_loop().time() + request.within
        async with _Hold(self):
            while True:
                left = max(0.001, deadline - asyncio.get_running_loop().time())
                limit = self._most(wanted - count if wanted else 0)
                polled = await self._client.poll(positions=positions, max_messages=limit, within=left)
                due.update(self._teller.tell(polled.deltas, request=request.id))
                count += await self._pace(polled)
                if polled.caught_up or (wanted and count >= wanted):
                    break
            await self._driver.flushed()
            if due and self._driver.acks == "auto":
                left = max(0.001, deadline - asyncio.get_running_loop().time())
                await self._teller.ack(due.read, due.ended, within=left)
        return {"position": polled.position, "caught_up": polled.caught_up}

    async def fence_positions(self, request: Request) -> Mapping[str, Any]:
        """Stop the poll under way, then poll until caught up with the positions."""
        positions = request.texts("positions")
        async with _Hold(self):
            polled = await self._catch_up(positions, request.within)
        return {"position": polled.position, "caught_up": polled.caught_up}

    async def fence_markers(self, request: Request) -> Mapping[str, Any]:
        """Wait until they came; where only the script polls, poll for them."""
        if self._driver.receive != "manual":
            await self._driver.markers_delivered(request)
            return {}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + request.within
        async with _Hold(self):
            while self._driver.markers(request) and (left := deadline - loop.time()) > 0:
                await self._poll_numbered((), min(left, MARKER_WAIT), left, patient=True)
            await self._ack_manual()
        if missing := self._driver.markers(request):
            absent = ", ".join(sorted(f"{key[1]} in {key[0]}" for key in missing))
            sentence = f"not delivered within {request.within:g} s: {absent}"
            raise RequestError("DEADLINE_EXCEEDED", "MARKER_MISSING", sentence, definite=False)
        return {}

    async def _catch_up(self, positions: Sequence[str], within: float) -> Polled:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            left = max(0.001, deadline - loop.time())
            polled = await self._poll_numbered(positions, 0.0, left, patient=True)
            if polled.caught_up:
                await self._ack_manual()
                return polled

    async def _ack_manual(self) -> None:
        # A client that polls by itself acknowledges with its next poll; this one may never poll again.
        if self._driver.receive == "manual" and self._due and self._driver.acks == "auto":
            due = self._due.copy()
            await self._teller.ack(due.read, due.ended)
            self._due.clear()

    async def _poll_on(self) -> None:
        """Poll, and poll again, until stopped or refused."""
        pace, chance = RetryPolicy(), random.Random()
        tries = 0
        while True:
            await self._free.wait()
            self._long_poll = asyncio.create_task(
                self._poll_numbered((), LONG_WAIT, LONG_WAIT + SLACK, patient=False)
            )
            try:
                await asyncio.wait([self._long_poll])
            finally:
                self._long_poll.cancel()
                await asyncio.wait([self._long_poll])
            if self._long_poll.cancelled():
                continue
            fault = self._long_poll.exception()
            if fault is None:
                tries = 0
                continue
            if not isinstance(fault, ChatError):
                raise fault
            if not self._lost:
                self._lost = True
                self._teller.lost(fault)
            if fault.definite and not fault.retryable:
                return
            tries += 1
            pause = pace.pause(tries, chance.random(), fault)
            await asyncio.sleep(pause)  # the back-off of the library's retry policy

    async def _poll_numbered(
        self, positions: Sequence[str], wait: float, within: float, *, patient: bool
    ) -> Polled:
        """Poll once, telling so before and after."""
        async with self._turn:
            self._number += 1
            number = self._number
            due = self._due.copy() if self._driver.acks == "auto" else Due()
            self._driver.event("poll", poll=number, **({"acks": due.read} if due.read else {}))
            await self._driver.flushed()
            try:
                polled = await self._client.poll(
                    positions=positions,
                    acks=due.read,
                    ended=due.ended,
                    max_messages=self._most(),
                    wait=wait,
                    within=within,
                    patient=patient,
                )
            except BaseException as fault:
                self._driver.event("polled", poll=number, error=error_of(fault))
                raise
            if self._lost:
                self._lost = False
                self._teller.restored()
            if polled.epoch_changed:
                self._due.clear()
            self._due.settle(due)
            self._due.update(self._teller.tell(polled.deltas, poll=number))
            self._driver.event(
                "polled",
                poll=number,
                ok={"position": polled.position, "caught_up": polled.caught_up}
                if self._teller.claims
                else {},
            )
            await self._driver.flushed()
        await self._pace(polled)
        return polled

    def _most(self, wanted: int = 0) -> int:
        """Return how many messages to ask for at once, 0 leaving it to the server; a slow reader asks for one."""
        if self._driver.handles_per_s is not None:
            return 1
        return min(wanted, self._driver.window or wanted) or self._driver.window or 0

    async def _pace(self, polled: Polled) -> int:
        """Take as long over what a poll brought as a slow reader does; return how many messages that was."""
        count = sum(len(delta.messages) for delta in polled.deltas)
        if self._driver.handles_per_s is not None and count:
            await asyncio.sleep(count / self._driver.handles_per_s)  # how long a slow reader takes over them
        return count

    def hold(self) -> None:
        """Poll no more by itself until `release`; the poll under way ends with CANCELLED."""
        self._fences += 1
        self._free.clear()
        if self._long_poll is not None:
            self._long_poll.cancel()

    def release(self) -> None:
        """Undo one `hold`."""
        self._fences -= 1
        if not self._fences:
            self._free.set()


class _Hold:
    """While inside, the reader does not poll by itself."""

    def __init__(self, reader: PollReader) -> None:
        self._reader = reader

    async def __aenter__(self) -> None:
        self._reader.hold()

    async def __aexit__(self, *_: object) -> None:
        self._reader.release()
