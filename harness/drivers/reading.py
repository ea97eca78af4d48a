"""How the driver for chatsys receives: pushed by a stream, or by polling, by itself or when told to.

Each reader turns what the client library brings into lines: the messages of a delta, then its claim, then the
end of a membership; and only when these have left the process, the acknowledgement.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from chatsys.client import (
    ChatError,
    Client,
    Delta,
    EpochChanged,
    Frame,
    Lost,
    Polled,
    Restored,
    RetryPolicy,
    Stream,
)
from chatsys.client.acks import AckPump
from chatsys.v1.types_pb2 import Message
from harness.drivers.base import Driver
from harness.drivers.request import Request, RequestError

#: How long one poll waits at the server for a first message, seconds.
LONG_WAIT: Final = 25.0
#: How much longer than the server waits a poll may take, seconds.
SLACK: Final = 2.0
#: How long a manual client waits in one poll for a marker, seconds.
MARKER_WAIT: Final = 1.0


class Reader(Protocol):
    """One way of receiving, from `start` to `stop`."""

    async def start(self, within: float) -> str:
        """Begin; return the position of the first answer. Raises ChatError when there is none in time."""

    async def stop(self, grace: float = 0.0) -> None:
        """End, with at most `grace` seconds for acknowledgements."""

    async def fence_positions(self, request: Request) -> Mapping[str, Any]:
        """Return once everything up to the positions was delivered."""

    async def fence_markers(self, request: Request) -> Mapping[str, Any]:
        """Return once the markers were delivered."""


class _Teller:
    """Writes what was received, and acknowledges it."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._ack_number = 0
        self._tells_acks = "ack" in driver.capabilities
        self.claims = "position" in driver.capabilities

    def tell(self, deltas: Sequence[Delta], **via: Any) -> dict[str, int]:
        """Write the lines of some deltas; return what may be acknowledged once they have left."""
        due: dict[str, int] = {}
        for delta in deltas:
            for message in delta.messages:
                self._hand_over(message, via)
            self._close(delta, via)
            if delta.messages or delta.ended:
                due[delta.room] = delta.through
        return due

    async def tell_slowly(
        self, deltas: Sequence[Delta], per_s: float, handled: Callable[[str, int], None]
    ) -> None:
        """Write the lines of some deltas at the pace of a slow reader, saying after each message that it is handled.

        Cancelled, it writes the rest at once: what was taken from the server is the application's.
        """
        pending = deque(deltas)
        left: deque[Message] = deque()
        try:
            while pending:
                left = deque(pending[0].messages)
                while left:
                    await asyncio.sleep(1 / per_s)  # this is how long the application takes over it
                    message = left.popleft()
                    self._hand_over(message, {})
                    await self._driver.flushed()
                    handled(message.room_id, message.sequence)
                delta = pending.popleft()
                self._close(delta, {})
                if delta.messages or delta.ended:
                    handled(delta.room, delta.through)
        finally:
            for delta in pending:
                for message in left if delta is pending[0] else delta.messages:
                    self._hand_over(message, {})
                self._close(delta, {})

    def _hand_over(self, message: Message, via: Mapping[str, Any]) -> None:
        self._driver.deliver(
            message.room_id,
            message.client_message_id,
            message.sender_id,
            text_of(message),
            message.sequence,
            **via,
        )

    def _close(self, delta: Delta, via: Mapping[str, Any]) -> None:
        """Say what a delta claims, once its messages were handed over."""
        if self.claims and delta.through > delta.after:
            lost = {"lost": delta.lost_through} if delta.lost_through else {}
            self._driver.event(
                "claim", room=delta.room, after=delta.after, through=delta.through, **lost, **via
            )
        if delta.ended:
            self._driver.event("ended", room=delta.room, through=delta.through, **via)

    async def ack(self, acks: Mapping[str, int], within: float = 10.0) -> None:
        """Acknowledge, telling so before and after. Raises ChatError."""
        self._ack_number += 1
        number = self._ack_number
        if self._tells_acks:
            self._driver.event("ack", ack=number, acks=dict(acks))
        await self._driver.flushed()
        try:
            cursors = await self._client.ack_now(acks, within=within)
        except BaseException as fault:
            if self._tells_acks:
                self._driver.event("acked", ack=number, error=_error(fault))
            raise
        if self._tells_acks:
            told = {room: cursor.acked_sequence for room, cursor in cursors.items()}
            self._driver.event("acked", ack=number, ok={"cursors": told})

    def lost(self, fault: ChatError) -> None:
        """Say that the server is gone."""
        self._driver.event("connection", state="lost", reason=fault.reason or fault.code.name)

    def restored(self) -> None:
        """Say that it is back."""
        instance = self._client.identity.instance
        self._driver.event("connection", state="restored", **({"instance": instance} if instance else {}))


class StreamReader:
    """Receives by an open stream."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._teller = _Teller(driver, client)
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
                        for room, sequence in due.items():
                            self._handled(room, sequence)
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

    def _handled(self, room: str, sequence: int) -> None:
        if self._driver.acks == "auto":
            self._acks.ack(room, sequence)

    async def fence_positions(self, request: Request) -> Mapping[str, Any]:
        """Ask for a frame that says how far it is, and wait until it was written out."""
        assert self._stream is not None
        progress = await self._stream.progress(request.texts("positions"), request.within)
        return {"position": progress.position, "caught_up": progress.caught_up}

    async def fence_markers(self, request: Request) -> Mapping[str, Any]:
        """Wait; they come by themselves."""
        await self._driver.markers_delivered(request)
        return {}


class PollReader:
    """Receives by polling: all the time (`receive: poll`), or only when told to (`manual`)."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._teller = _Teller(driver, client)
        self._due: dict[str, int] = {}
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
                await self._teller.ack(self._due, within=grace)
            except ChatError:
                return  # Unacknowledged it stays: it was not handed over for good.

    async def read(self, request: Request) -> Mapping[str, Any]:
        """Poll until caught up with the positions of the request, or until its `max` messages came."""
        positions, wanted = request.texts("positions"), request.number("max", 0)
        due: dict[str, int] = {}
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
                await self._teller.ack(due, within=max(0.001, deadline - asyncio.get_running_loop().time()))
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
            await self._teller.ack(dict(self._due))
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
            await asyncio.sleep(pace.pause(tries, chance.random(), fault))

    async def _poll_numbered(
        self, positions: Sequence[str], wait: float, within: float, *, patient: bool
    ) -> Polled:
        """Poll once, telling so before and after."""
        async with self._turn:
            self._number += 1
            number = self._number
            acks = dict(self._due) if self._driver.acks == "auto" else {}
            self._driver.event("poll", poll=number, **({"acks": acks} if acks else {}))
            await self._driver.flushed()
            try:
                polled = await self._client.poll(
                    positions=positions,
                    acks=acks,
                    max_messages=self._most(),
                    wait=wait,
                    within=within,
                    patient=patient,
                )
            except BaseException as fault:
                self._driver.event("polled", poll=number, error=_error(fault))
                raise
            if self._lost:
                self._lost = False
                self._teller.restored()
            if polled.epoch_changed:
                self._due.clear()
            for room, sequence in acks.items():
                if self._due.get(room) == sequence:
                    del self._due[room]
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
            await asyncio.sleep(count / self._driver.handles_per_s)
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


def text_of(message: Message) -> str:
    """Return the content as text; what is not UTF-8 becomes U+FFFD."""
    return message.content.decode(errors="replace")


def _error(fault: BaseException) -> dict[str, Any]:
    if isinstance(fault, ChatError):
        return RequestError(fault.code.name, fault.reason, fault.message, definite=fault.definite).to_json()
    return RequestError("CANCELLED", "STOPPED", "the driver stopped waiting for it", definite=False).to_json()
