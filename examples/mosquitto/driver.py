"""Plays one client of an MQTT broker for chatsim: `python driver.py`, started by chatsim itself.

A room is a topic; a member is who subscribes to it with QoS 1 in a session that the broker keeps while he is away.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from harness.drivers.base import Driver, run
from harness.drivers.request import Request, RequestError

#: Sessions outlive their connection until the broker ends: 2^32 - 1 seconds mean "for ever".
FOR_EVER = 0xFFFFFFFF


class Session:
    """One session at the broker. paho has a thread of its own; everything here is told in the event loop.

    Args:
        user: its name at the broker, the same over any number of connections.
        on_message: sees each message, which is acknowledged when it returns True.
        on_state: hears that the connection was lost (with the reason) or is back (None).
    """

    def __init__(
        self, user: str, on_message: Callable[[MQTTMessage], None], on_state: Callable[[str | None], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._online = self._loop.create_future()
        self._on_message, self._on_state = on_message, on_state
        self.mqtt = Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=MQTTv5, manual_ack=True)
        self.mqtt.on_connect = lambda _c, _u, _f, code, _p: self._tell(self._connected, code)
        self.mqtt.on_disconnect = lambda _c, _u, _f, code, _p: self._tell(self._disconnected, code)
        self.mqtt.on_message = lambda _c, _u, message: self._tell(self._on_message, message)
        self.mqtt.on_publish = lambda _c, _u, number, code, _p: self._tell(self._answered, number, [code])
        self.mqtt.on_subscribe = lambda _c, _u, number, codes, _p: self._tell(self._answered, number, codes)
        self.mqtt.on_unsubscribe = lambda _c, _u, number, codes, _p: self._tell(self._answered, number, codes)

    async def open(self, host: str, port: int, within: float) -> None:
        """Connect, and stay connected until `close`."""
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = FOR_EVER
        self.mqtt.connect_async(host, port, clean_start=False, properties=properties)
        self.mqtt.loop_start()
        try:
            async with asyncio.timeout(within):
                await self._online
        except TimeoutError:
            raise RequestError("UNAVAILABLE", "", f"no broker answers at {host}:{port}") from None

    async def close(self) -> None:
        """Disconnect; the session stays at the broker."""
        self.mqtt.disconnect()
        await asyncio.to_thread(self.mqtt.loop_stop)

    async def subscribe(self, topic: str, within: float) -> None:
        """Hear what others publish there; what oneself does is not told."""
        options = SubscribeOptions(qos=1, noLocal=True)
        await self._answer(self.mqtt.subscribe(topic, options=options)[1], within)

    async def unsubscribe(self, topic: str, within: float) -> None:
        """Hear no more of it."""
        await self._answer(self.mqtt.unsubscribe(topic)[1], within)

    async def publish(self, topic: str, payload: str, within: float) -> None:
        """Publish, and wait until the broker has taken it."""
        await self._answer(self.mqtt.publish(topic, payload, qos=1).mid, within)

    async def _answer(self, number: int | None, within: float) -> None:
        if number is None:
            raise RequestError("UNAVAILABLE", "", "the broker cannot be reached")
        future = self._answers[number] = self._loop.create_future()
        try:
            async with asyncio.timeout(within):
                await future
        except TimeoutError:
            raise RequestError("DEADLINE_EXCEEDED", "", f"no answer within {within:g} s") from None
        finally:
            self._answers.pop(number, None)

    def _tell(self, what: Callable[..., None], *words: Any) -> None:
        self._loop.call_soon_threadsafe(what, *words)

    def _connected(self, code: Any) -> None:
        if self._online.done():
            self._on_state(None)
        elif code.is_failure:
            self._online.set_exception(RequestError("UNAUTHENTICATED", str(code), "the broker refuses"))
        else:
            self._online.set_result(None)

    def _disconnected(self, code: Any) -> None:
        if self._online.done():
            self._on_state(str(code))

    def _answered(self, number: int, codes: list[Any]) -> None:
        future = self._answers.get(number)
        if future is None or future.done():
            return
        failed = next((code for code in codes if code.is_failure), None)
        if failed is None:
            future.set_result(None)
        else:
            future.set_exception(RequestError("PERMISSION_DENIED", str(failed), "the broker refuses"))


class MosquittoDriver(Driver):
    """One client of the broker."""

    name = "mosquitto 1"
    capabilities = ("stream", "order", "rooms")

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._seen: set[tuple[str, str, str]] = set()
        self._acknowledging: set[asyncio.Task[None]] = set()

    async def connect(self, request: Request) -> None:
        """Take up this client's session."""
        server = request.mapping("server")
        # What waited for him comes at once, before this is answered.
        self._session = Session(self._name(self.user), self._received, self._state)
        try:
            await self._session.open(server["host"], server["port"], request.within)
        except BaseException:  # also when the request is cancelled
            await self._put_down()
            raise

    async def disconnect(self, _request: Request) -> None:
        """Put it down."""
        await self.cancel_others()
        await self._put_down()

    async def _put_down(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def leave_now(self) -> None:
        """Leave the session at the broker as it is."""
        if self._session is not None:
            self._session.mqtt.disconnect()

    async def send(self, request: Request) -> None:
        """Publish one message; the broker has no ids and no senders, so they are inside."""
        body = {"id": request.text("message"), "from": self.user, "text": request.text("text")}
        assert self._session is not None
        await self._session.publish(request.text("room"), json.dumps(body), request.within)

    async def join(self, request: Request) -> None:
        """Subscribe."""
        assert self._session is not None
        await self._session.subscribe(request.text("room"), request.within)

    async def leave(self, request: Request) -> None:
        """Unsubscribe."""
        assert self._session is not None
        await self._session.unsubscribe(request.text("room"), request.within)

    async def create(self, request: Request) -> None:
        """Subscribe each member, by taking up his session for a moment: he may be offline, or not yet born."""
        assert self._session is not None
        host, port = self._session.mqtt.host, self._session.mqtt.port
        for user in request.texts("members"):
            if user == self.user:
                await self._session.subscribe(request.text("room"), request.within)
                continue
            session = Session(self._name(user), lambda _message: None, lambda _reason: None)
            try:
                await session.open(host, port, request.within)
                await session.subscribe(request.text("room"), request.within)
            finally:
                await session.close()

    def _name(self, user: str) -> str:
        return f"{user}/{self.consumer}" if self.consumer and user == self.user else user

    def _received(self, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        key = (message.topic, body["id"], body["from"])
        if key not in self._seen:  # an acknowledgement was lost, and the broker says it again
            self._seen.add(key)
            self.deliver(message.topic, body["id"], body["from"], body["text"])
        if self._session is not None:
            task = asyncio.ensure_future(self._acknowledge(self._session, message))
            self._acknowledging.add(task)
            task.add_done_callback(self._acknowledging.discard)

    async def _acknowledge(self, session: Session, message: MQTTMessage) -> None:
        await self.flushed()
        session.mqtt.ack(message.mid, message.qos)

    def _state(self, reason: str | None) -> None:
        if self._session is not None:
            said = {"state": "lost", "reason": reason} if reason else {"state": "restored"}
            self.event("connection", **said)


if __name__ == "__main__":
    sys.exit(run(MosquittoDriver(), sys.argv[1:]))
