"""One named client: what it is asked to do and what it sees, put on record. Its process is told of in `life`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from harness.model.actions import KeyChange
from harness.model.cast import Client
from harness.model.history import Op
from harness.run.driver import GARBLED, Reply
from harness.run.ear import Ear
from harness.run.life import SETUP_S, Life, Spawn
from harness.run.names import Names
from harness.run.needs import TURNED_AWAY
from harness.run.recorder import Recorder
from harness.verbs.stage import Answer, StepFailedError

MemberOp = Literal["join", "leave", "add", "kick"]


class _Page(NamedTuple):
    """One page of a room that is read whole."""

    reply: Reply
    messages: Sequence[Mapping[str, Any]] = ()
    more: bool = False


class Player(Life):
    """One client, as far as it can be asked something.

    Args:
        client: see `Life`.
        setup: see `Life`.
        names: ids to names and back.
        recorder: told everything.
        identify: finds the plan's message id by (room, sender, client message id).
        spawn: see `Life`.
        on_fault: see `Life`.
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
        super().__init__(client, setup, recorder, spawn=spawn, on_fault=on_fault)
        self.online = False
        self.refused = False
        """Whether its last connect was refused as the script said: then it is not brought back at the end."""
        self.astray = False
        """Whether its last connect or disconnect ended unknown: then only the driver knows whether it is online."""
        self._names = names
        self._ear = Ear(names, recorder, identify, self._complete)

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
        count = 0
        async for reply, messages, more in self._pages(room, positions, within_s, page):
            if reply.ok is None:
                return self._end(invoked, reply)[0]
            for message in messages:
                self._recorder.note(self.process, "read", self._ear.message(message), op=invoked.op)
            count += len(messages)
            if not more:
                lost = {"lost": reply.ok["lost"]} if "lost" in reply.ok else {}
                return self._end(invoked, Reply({"count": count, **lost}, None, reply.t))[0]
        raise AssertionError("pages end with one that has no more")

    async def browse(
        self, room: str, positions: Sequence[str], within_s: float, page: int = 500
    ) -> set[tuple[str, str, str]]:
        """Read a room whole, off the record; return (room, sender, client message id) of what is there.

        Raises:
            StepFailedError: the server does not answer.
        """
        there: set[tuple[str, str, str]] = set()
        async for reply, messages, _ in self._pages(room, positions, within_s, page):
            if reply.ok is None:
                raise StepFailedError(
                    f"{self.process} could not read {room}: {(reply.error or {}).get('message')}"
                )
            there.update((room, self._names.user(each["sender"]), each["message"]) for each in messages)
        return there

    async def _pages(
        self, room: str, positions: Sequence[str], within_s: float, limit: int
    ) -> AsyncIterator[_Page]:
        """Yield the pages of a room. The last one has no more, or is an error."""
        assert self._driver is not None
        after, more = 0, True
        while more:
            reply = await self._driver.ask(
                "history",
                within_s,
                room=self._names.room_id(room),
                after=after,
                limit=limit,
                positions=list(positions),
                within_ms=round(within_s * 1000),
            )
            try:
                messages, more, furthest = _page(reply.ok, after)
            except GARBLED as fault:
                reply, messages, more, furthest = self._driver.nonsense("history", fault), (), False, after
            after = furthest
            yield _Page(reply, messages, more)

    async def rotate_keys(self, change: KeyChange, within_s: float, step: str | None) -> Answer:
        """Change the keys by which the server knows tokens."""
        invoked = self._recorder.invoke(self.process, "rotate_keys", {"change": change}, step)
        answer, _ = await self._ask(
            invoked, "rotate_keys", within_s, change=change, within_ms=round(within_s * 1000)
        )
        return answer

    async def _ask(self, invoked: Op, op: str, within_s: float, **fields: Any) -> tuple[Answer, Op]:
        if self._driver is None:
            error = {
                "code": "UNAVAILABLE",
                "reason": "NOT_STARTED",
                "message": "its process was never started",
            }
            return self._complete(invoked, Reply(None, {**error, "definite": True}, None))
        return self._end(invoked, await self._driver.ask(op, within_s, **fields))

    def _end(self, invoked: Op, reply: Reply) -> tuple[Answer, Op]:
        """End an operation by what its driver answered, which may be nonsense."""
        try:
            return self._complete(invoked, reply)
        except GARBLED as fault:
            assert self._driver is not None
            return self._complete(invoked, self._driver.nonsense(invoked.f, fault))

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

    def born(self) -> None:
        """Another incarnation begins."""
        self.astray = False

    def hear(self, event: Mapping[str, Any]) -> None:
        """Put what the driver tells unasked on record."""
        self._ear.hear(self.process, event)

    def gone(self) -> None:
        """The process has ended: so has whatever it was doing."""
        self.online = False
        error = {"code": "UNAVAILABLE", "reason": "DRIVER_GONE", "message": "its process ended"}
        self._ear.gone(Reply(None, error, None))


def _page(ok: Mapping[str, Any] | None, after: int) -> tuple[Sequence[Mapping[str, Any]], bool, int]:
    """Return the messages of an answer to `history`, whether there are more, and how far it goes."""
    if ok is None:
        return (), False, after
    messages, more = ok["messages"], bool(ok.get("more"))
    for message in messages:
        if not all(isinstance(message[key], str) for key in ("room", "message", "sender", "text")):
            raise TypeError("`room`, `message`, `sender` and `text` of a message are texts")
    furthest = max((after, *(message.get("sequence", 0) for message in messages)))
    if more and furthest == after:
        raise ValueError(f"there is `more`, and nothing beyond {after} came")
    return messages, more, furthest
