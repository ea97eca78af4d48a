"""One named client over its incarnations: what it is asked to do and what it sees, put on record."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from harness.keeper.handle import Exit
from harness.model.actions import KeyChange
from harness.model.cast import Client
from harness.model.history import HARNESS, Op
from harness.run import signals
from harness.run.driver import Driver, Reply
from harness.run.ear import Ear
from harness.run.names import Names
from harness.run.needs import TURNED_AWAY
from harness.run.recorder import Recorder
from harness.run.settings import CouldNotRunError
from harness.verbs.stage import Answer, StepFailedError

#: How long a driver may take over `setup` and `bye`, seconds.
SETUP_S = 5.0
BYE_S = 1.0

MemberOp = Literal["join", "leave", "add", "kick"]
Listener = Callable[[Mapping[str, Any]], None]
Spawn = Callable[[str, Listener], Awaitable[Driver]]


class Player:
    """The process that plays one client.

    Args:
        client: whom it plays.
        setup: makes the fields of its `setup` request, of what its driver can do.
        names: ids to names and back.
        recorder: told everything.
        identify: finds the plan's message id by (room, sender, client message id).
        spawn: starts a driver: (process name, event listener) -> Driver.
        on_fault: hears of a driver that broke the protocol: (process, sentence).
    """

    def __init__(
        self,
        client: Client,
        setup: Callable[[frozenset[str]], Mapping[str, Any]],
        names: Names,
        recorder: Recorder,
        *,
        identify: Callable[[str, str, str], str | None],
        spawn: Spawn,
        on_fault: Callable[[str, str], None],
    ) -> None:
        self.client = client
        self.online = False
        self.refused = False
        """Whether its last connect was refused as the script said: then it is not brought back at the end."""
        self.astray = False
        """Whether its last connect or disconnect ended unknown: then only the driver knows whether it is online."""
        self._setup = setup
        self._names = names
        self._recorder = recorder
        self._spawn = spawn
        self._on_fault = on_fault
        self._ear = Ear(names, recorder, identify, self._complete)
        self._driver: Driver | None = None
        self._incarnation = 0
        self._leaving = False
        self._killed = False
        self._frozen = False

    @property
    def process(self) -> str:
        """Its name in the history: `bob`, or `bob#2` for a later incarnation; of `harness` there is one."""
        name = self.client.name
        return name if self._incarnation < 2 or name == HARNESS else f"{name}#{self._incarnation}"

    @property
    def capabilities(self) -> frozenset[str]:
        """What its driver can do; empty while there is none."""
        return self._driver.capabilities if self._driver else frozenset()

    @property
    def dead(self) -> bool:
        """Whether its process was started and has ended unasked."""
        return self._driver is not None and not self._driver.child.alive and not self._killed

    @property
    def killed(self) -> bool:
        """Whether its process was ended as asked, and no other was started since."""
        return self._killed

    @property
    def frozen(self) -> bool:
        """Whether its process stands still as asked."""
        return self._frozen

    async def start(self) -> None:
        """Start its process and set it up, if it has none.

        Raises:
            CouldNotRunError: the driver is unusable, or refuses to be set up.
            CommandError: the driver command cannot be executed.
        """
        if self._driver is not None and not self._killed:
            return
        if self._driver is not None:
            self._driver.close()
        self._incarnation += 1
        self._leaving = self._killed = self.astray = False
        driver = await self._spawn(self.process, self._hear)
        self._driver = driver
        value = {
            "pid": driver.child.pid,
            "incarnation": self._incarnation,
            "driver": driver.title,
            "capabilities": sorted(driver.capabilities),
        }
        self._recorder.note(self.process, "spawn", value)
        driver.fault.add_done_callback(lambda fault: self._on_fault(self.process, fault.result()))
        driver.over.add_done_callback(lambda over: self._ended(driver, over.result()))
        reply = await driver.ask("setup", SETUP_S, **self._setup(driver.capabilities))
        if reply.ok is None:
            error = reply.error or {}
            raise CouldNotRunError(
                f"the driver of {self.process} refused its part: {error.get('message') or error.get('code')}",
                process=self.process,
                command=driver.command,
                ending=str(driver.child.ended.result()) if driver.child.ended.done() else "still running",
                last_lines=driver.last_lines(),
                help="what `setup` asks for stands in docs/driver-protocol.md; see also what it can, in its hello",
            )

    async def connect(self, server: Mapping[str, Any], within_s: float, step: str | None) -> Answer:
        """Bring it online."""
        await self.start()
        invoked = self._recorder.invoke(self.process, "connect", {}, step)
        self._ear.connected_by = invoked.op
        answer, _ = await self._ask(
            invoked, "connect", within_s, server=dict(server), within_ms=round(within_s * 1000)
        )
        self.online = answer.type == "ok"
        self.astray = answer.type == "info"
        return answer

    async def knock(self, server: Mapping[str, Any], within_s: float) -> bool:
        """Find out whether a server answers there, off the record; it is left as it was found."""
        await self.start()
        assert self._driver is not None
        # A driver that is started cold may need a while for its first request, whatever we allow it.
        reply = await self._driver.ask(
            "connect", SETUP_S, server=dict(server), within_ms=round(within_s * 1000)
        )
        if reply.ok is not None:
            await self._driver.ask("disconnect", SETUP_S)
        return reply.ok is not None or (reply.error or {}).get("code") in TURNED_AWAY

    async def disconnect(self, within_s: float, step: str | None) -> Answer:
        """Take it offline; its process stays."""
        invoked = self._recorder.invoke(self.process, "disconnect", {}, step)
        answer, _ = await self._ask(invoked, "disconnect", within_s)
        self.online = False
        self.astray = answer.type == "info"
        return answer

    async def send(
        self, room: str, message: str | None, key: str, text: str, within_s: float, step: str | None
    ) -> tuple[Answer, Op]:
        """Send one message; `key` is its client message id."""
        value = {
            "room": room,
            "id": message,
            "client_message_id": key,
            "sender": self.client.user,
            "text": text,
        }
        invoked = self._recorder.invoke(self.process, "send", value, step)
        return await self._ask(
            invoked,
            "send",
            within_s,
            room=self._names.room_id(room),
            message=key,
            text=text,
            within_ms=round(within_s * 1000),
        )

    async def create(
        self, room: Mapping[str, Any], request: Mapping[str, Any], within_s: float, step: str | None = None
    ) -> Answer:
        """Make a room: `room` as the plan names it, `request` as the driver is asked."""
        invoked = self._recorder.invoke(self.process, "create", room, step)
        answer, _ = await self._ask(invoked, "create", within_s, **request, within_ms=round(within_s * 1000))
        return answer

    async def move(
        self, op: MemberOp, room: str, user: str | None, within_s: float, step: str | None
    ) -> Answer:
        """Change who is in a room: `join` and `leave` oneself, `add` and `kick` a user of the plan."""
        who = {} if user is None else {"user": user}
        asked = {} if user is None else {"user": self._names.user_id(user)}
        invoked = self._recorder.invoke(self.process, op, {"room": room, **who}, step)
        answer, _ = await self._ask(
            invoked, op, within_s, room=self._names.room_id(room), **asked, within_ms=round(within_s * 1000)
        )
        return answer

    async def poll(self, positions: Sequence[str], within_s: float, step: str | None) -> Answer:
        """Read until caught up with these positions, without waiting for anything new."""
        invoked = self._recorder.invoke(self.process, "poll", {"positions": list(positions)}, step)
        number = self._driver.next_request if self._driver is not None else 0
        self._ear.asked[number] = invoked
        try:
            answer, _ = await self._ask(
                invoked, "poll", within_s, positions=list(positions), within_ms=round(within_s * 1000)
            )
        finally:
            del self._ear.asked[number]
        return answer

    async def ack(self, acks: Mapping[str, int], within_s: float, step: str | None) -> Answer:
        """Acknowledge: room of the plan to sequence."""
        invoked = self._recorder.invoke(self.process, "ack", {"acks": dict(acks)}, step)
        by_id = {self._names.room_id(room): sequence for room, sequence in acks.items()}
        answer, _ = await self._ask(invoked, "ack", within_s, acks=by_id, within_ms=round(within_s * 1000))
        return answer

    async def fence(
        self, value: Mapping[str, Any], request: Mapping[str, Any], within_s: float, step: str | None
    ) -> Answer:
        """Wait until its record is complete up to a point: `value` for the history, `request` for the driver."""
        invoked = self._recorder.invoke(self.process, "fence", value, step)
        answer, _ = await self._ask(invoked, "fence", within_s, **request, within_ms=round(within_s * 1000))
        return answer

    async def audit(self, room: str, positions: Sequence[str], within_s: float, page: int = 500) -> Answer:
        """Read a room whole, its messages going on record one by one."""
        invoked = self._recorder.invoke(self.process, "history", {"room": room, "positions": list(positions)})
        after, count = 0, 0
        while True:
            reply = await self._page(room, after, page, positions, within_s)
            if reply.ok is None:
                return self._complete(invoked, reply)[0]
            for message in reply.ok["messages"]:
                self._recorder.note(self.process, "read", self._ear.message(message), op=invoked.op)
                after = max(after, message.get("sequence", 0))
            count += len(reply.ok["messages"])
            if not reply.ok.get("more"):
                lost = {"lost": reply.ok["lost"]} if "lost" in reply.ok else {}
                return self._complete(invoked, Reply({"count": count, **lost}, None, reply.t))[0]

    async def browse(
        self, room: str, positions: Sequence[str], within_s: float, page: int = 500
    ) -> set[tuple[str, str, str]]:
        """Read a room whole, off the record; return (room, sender, client message id) of what is there.

        Raises:
            StepFailedError: the server does not answer.
        """
        there: set[tuple[str, str, str]] = set()
        after = 0
        while True:
            reply = await self._page(room, after, page, positions, within_s)
            if reply.ok is None:
                raise StepFailedError(
                    f"{self.process} could not read {room}: {(reply.error or {}).get('message')}"
                )
            for message in reply.ok["messages"]:
                there.add((room, self._names.user(message["sender"]), message["message"]))
                after = max(after, message.get("sequence", 0))
            if not reply.ok.get("more"):
                return there

    async def _page(
        self, room: str, after: int, limit: int, positions: Sequence[str], within_s: float
    ) -> Reply:
        assert self._driver is not None
        return await self._driver.ask(
            "history",
            within_s,
            room=self._names.room_id(room),
            after=after,
            limit=limit,
            positions=list(positions),
            within_ms=round(within_s * 1000),
        )

    async def rotate_keys(self, change: KeyChange, within_s: float, step: str | None) -> Answer:
        """Change the keys by which the server knows tokens."""
        invoked = self._recorder.invoke(self.process, "rotate_keys", {"change": change}, step)
        answer, _ = await self._ask(
            invoked, "rotate_keys", within_s, change=change, within_ms=round(within_s * 1000)
        )
        return answer

    async def kill(self, number: int, within_s: float) -> bool:
        """End its process by a signal; returns whether it has ended, its last line on record."""
        driver = self._driver
        if driver is None:
            return True
        self._leaving = driver.killed = True
        if not await signals.end(driver.child, number, within_s):
            return False
        await asyncio.wait([driver.over])
        self._killed, self._frozen = True, False
        return True

    async def quit(self, within_s: float) -> bool:
        """Tell its process to go, as `kill` else."""
        driver = self._driver
        if driver is None:
            return True
        self._leaving = True
        if self._frozen:  # it could not hear it
            await self.thaw(within_s)
        farewell = asyncio.ensure_future(driver.ask("bye", within_s))
        try:
            if await driver.child.wait(within_s) is None:
                return False
        finally:
            farewell.cancel()
        await asyncio.wait([driver.over])
        self._killed, self._frozen = True, False
        return True

    async def freeze(self, within_s: float) -> bool:
        """Stop its process; returns whether it stands still."""
        assert self._driver is not None
        self._frozen = True
        return await signals.freeze(self._driver.child, within_s)

    async def thaw(self, within_s: float) -> bool:
        """Let its process go on; returns whether it does."""
        assert self._driver is not None
        self._frozen = False
        return await signals.thaw(self._driver.child, within_s)

    async def leave(self) -> None:
        """Tell the process to go, and end it when it does not."""
        driver = self._driver
        if driver is None:
            return
        self._leaving = True
        if self._frozen:
            await self.thaw(BYE_S)
        if driver.child.alive:
            farewell = asyncio.ensure_future(driver.ask("bye", 0.0))
            if await driver.child.wait(BYE_S) is None:
                driver.killed = True
                await driver.child.signal(signal.SIGKILL)
                await driver.child.wait(BYE_S)
            farewell.cancel()
        if driver.child.ended.done():
            await asyncio.wait([driver.over])
        driver.close()

    def last_lines(self, count: int = 5) -> tuple[str, ...]:
        """Return the last lines of its log."""
        return self._driver.last_lines(count) if self._driver else ()

    async def _ask(self, invoked: Op, op: str, within_s: float, **fields: Any) -> tuple[Answer, Op]:
        if self._driver is None:
            error = {
                "code": "UNAVAILABLE",
                "reason": "NOT_STARTED",
                "message": "its process was never started",
            }
            return self._complete(invoked, Reply(None, {**error, "definite": True}, None))
        return self._complete(invoked, await self._driver.ask(op, within_s, **fields))

    def _complete(self, invoked: Op, reply: Reply) -> tuple[Answer, Op]:
        if reply.ok is not None:
            ok = reply.ok
            if "cursors" in ok:
                ok = {**ok, "cursors": self._names.by_room(ok["cursors"])}
            return Answer(self.process, "ok"), self._recorder.complete(invoked, "ok", ok, t=reply.t)
        error = reply.error or {}
        type_: Literal["fail", "info"] = "fail" if reply.definite else "info"
        ended = self._recorder.complete(invoked, type_, error=error, t=reply.t)
        code, reason = str(error.get("code", "UNKNOWN")), str(error.get("reason", ""))
        return Answer(self.process, type_, code, reason, str(error.get("message", ""))), ended

    def _hear(self, event: Mapping[str, Any]) -> None:
        self._ear.hear(self.process, event)

    def _ended(self, driver: Driver, how: Exit) -> None:
        self.online = False
        gone = Reply(
            None, {"code": "UNAVAILABLE", "reason": "DRIVER_GONE", "message": "its process ended"}, None
        )
        self._ear.gone(gone)
        value = {"pid": driver.child.pid, "code": how.code, "signal": how.signal, "asked": self._leaving}
        self._recorder.note(self.process, "exit", value)
