"""Receives by an open stream: what is pushed is told, handed over and acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chatsys.client import (
    ChatError,
    Client,
    EpochChanged,
    Frame,
    Lost,
    Restored,
    Stream,
)
from chatsys.client.acks import AckPump
from harness.drivers.base import Driver
from harness.drivers.reading import Due, Teller
from harness.drivers.request import Request


class StreamReader:
    """Receives by an open stream."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._teller = Teller(driver, client)
        self._acks = AckPump(self._teller.ack)
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, within: float) -> str:
        """Open the stream and begin to read it."""
        self._stream = self._client.subscribe(window=self._driver.window or 0)
        self._task = asyncio.create_task(self._read(self._stream))
        return await self._stream.opened(within)

    async def stop(self, grace: float = 0.0) -> None:
        """End the stream."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if grace:
            await asyncio.wait([asyncio.ensure_future(self._acks.flush())], timeout=grace)
        await self._acks.close()

    async def _read(self, stream: Stream) -> None:
        opened = False
        try:
            async for update in stream:
                match update:
                    case Frame(deltas):
                        opened = True
                        if self._driver.handles_per_s is not None:
                            await self._teller.tell_slowly(deltas, self._driver.handles_per_s, self._handled)
                            continue
                        due = self._teller.tell(deltas)
                        await self._driver.flushed()
                        self._handled(due)
                    case Lost(fault):
                        self._teller.lost(fault)
                    case Restored():
                        self._teller.restored()
                    case EpochChanged(fault):
                        self._acks.forget()
                        self._teller.lost(fault)
        except ChatError as fault:
            # The end for good: said once more, with its reason, unless it never began.
            if opened:
                self._teller.lost(fault)

    def _handled(self, due: Due) -> None:
        if self._driver.acks == "auto":
            for room, sequence in due.read.items():
                self._acks.ack(room, sequence)
            for room, sequence in due.ended.items():
                self._acks.ended(room, sequence)

    async def fence_positions(self, request: Request) -> Mapping[str, Any]:
        """Ask for a frame that says how far it is, and wait until it was written out."""
        assert self._stream is not None
        progress = await self._stream.progress(request.texts("positions"), request.within)
        return {"position": progress.position, "caught_up": progress.caught_up}

    async def fence_markers(self, request: Request) -> Mapping[str, Any]:
        """Wait; they come by themselves."""
        await self._driver.markers_delivered(request)
        return {}
