"""What the ways of receiving of the driver for chatsys have in common: pushed by a stream, or by polling.

Each reader turns what the client library brings into lines: the messages of a delta, then its claim, then the
end of a membership; and only when these have left the process, the acknowledgement.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chatsys.client import (
    ChatError,
    Client,
    Delta,
)
from chatsys.v1.types_pb2 import Message
from harness.drivers.base import Driver
from harness.drivers.request import Request, RequestError


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


@dataclass(slots=True)
class Due:
    """What may be acknowledged, by room."""

    read: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.read or self.ended)

    def take(self, delta: Delta) -> Due:
        """Add what was handed over with a delta; return it all."""
        if delta.ended:
            self.ended[delta.room] = delta.through
        elif delta.messages:
            self.read[delta.room] = delta.through
        return self

    def update(self, other: Due) -> None:
        """Add what came later."""
        self.read.update(other.read)
        self.ended.update(other.ended)

    def copy(self) -> Due:
        """Return what is due by now."""
        return Due(dict(self.read), dict(self.ended))

    def settle(self, told: Due) -> None:
        """Strike out what was acknowledged, unless more has come since."""
        for mine, done in ((self.read, told.read), (self.ended, told.ended)):
            for room, sequence in done.items():
                if mine.get(room) == sequence:
                    del mine[room]

    def clear(self) -> None:
        """Forget everything."""
        self.read.clear()
        self.ended.clear()


class Teller:
    """Writes what was received, and acknowledges it."""

    def __init__(self, driver: Driver, client: Client) -> None:
        self._driver = driver
        self._client = client
        self._ack_number = 0
        self._tells_acks = "ack" in driver.capabilities
        self.claims = "position" in driver.capabilities

    def tell(self, deltas: Sequence[Delta], **via: Any) -> Due:
        """Write the lines of some deltas; return what may be acknowledged once they have left."""
        due = Due()
        for delta in deltas:
            for message in delta.messages:
                self._hand_over(message, via)
            self._close(delta, via)
            due.take(delta)
        return due

    async def tell_slowly(
        self, deltas: Sequence[Delta], per_s: float, handled: Callable[[Due], None]
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
                    handled(Due({message.room_id: message.sequence}))
                delta = pending.popleft()
                self._close(delta, {})
                handled(Due().take(delta))
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
        if self.claims and delta.through > delta.after and not delta.ended:
            lost = {"lost": delta.lost_through} if delta.lost_through else {}
            self._driver.event(
                "claim", room=delta.room, after=delta.after, through=delta.through, **lost, **via
            )
        if delta.ended:
            self._driver.event("ended", room=delta.room, through=delta.through, **via)

    async def ack(self, acks: Mapping[str, int], ended: Mapping[str, int], within: float = 10.0) -> None:
        """Acknowledge, telling before and after what was said to be read. Raises ChatError."""
        self._ack_number += 1
        number = self._ack_number
        tells = self._tells_acks and bool(acks)
        if tells:
            self._driver.event("ack", ack=number, acks=dict(acks))
        await self._driver.flushed()
        try:
            cursors = await self._client.ack_now(acks, ended, within=within)
        except BaseException as fault:
            if tells:
                self._driver.event("acked", ack=number, error=error_of(fault))
            raise
        if tells:
            told = {room: cursor.acked_sequence for room, cursor in cursors.items()}
            self._driver.event("acked", ack=number, ok={"cursors": told})

    def lost(self, fault: ChatError) -> None:
        """Say that the server is gone."""
        self._driver.event("connection", state="lost", reason=fault.reason or fault.code.name)

    def restored(self) -> None:
        """Say that it is back."""
        instance = self._client.identity.instance
        self._driver.event("connection", state="restored", **({"instance": instance} if instance else {}))


def text_of(message: Message) -> str:
    """Return the content as text; what is not UTF-8 becomes U+FFFD."""
    return message.content.decode(errors="replace")


def error_of(fault: BaseException) -> dict[str, Any]:
    """Return the error object of a call that failed, or that was given up."""
    if isinstance(fault, ChatError):
        return RequestError(fault.code.name, fault.reason, fault.message, definite=fault.definite).to_json()
    return RequestError("CANCELLED", "STOPPED", "the driver stopped waiting for it", definite=False).to_json()
