"""Who got what: of each message that a judgement is about, what became of it for every client.

A fold over the operations of a run, in their order; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from harness.model.history import Op
from harness.model.plan import Plan
from harness.report.words import message_name, refusal

State = Literal["got", "never", "sender", "outside", "echo", "leak"]


class Receipt(NamedTuple):
    """What one client saw of one message."""

    client: str
    state: State
    """`got` and `never`: a member who could expect it; `sender` and `outside`: neither got it nor was to;
    `echo`: it came back to its sender; `leak`: it reached someone who was no member when it was sent."""
    time_ns: int | None = None
    """The first delivery."""
    times: int = 0
    """How often it was delivered."""
    connected: bool = True
    """Whether this client was ever connected."""
    note: str = ""
    """Why one who was a member at another time was none then: `kicked, line 19`; or of what was got, what was
    other than it was sent: `as from luis-2`."""


class MessageReport(NamedTuple):
    """One message and everybody's receipt of it, in the order of the cast."""

    id: str
    """The plan's id; for a message nobody scripted, its client message id or its text in quotes."""
    room: str
    sender: str
    text: str
    sent_ns: int | None
    answered_ns: int | None
    answer: str
    """`ok`, the refusal, `no answer`, or empty when it was never sent."""
    sequence: int | None
    receipts: tuple[Receipt, ...]


class _Move(NamedTuple):
    """Somebody's coming into a room, or going."""

    user: str
    room: str
    f: str
    step: str | None


_GONE = {"kick": "kicked", "leave": "left"}
_COME = {"add": "added", "join": "joined"}


class _Seen:
    """One message, as far as it is known."""

    __slots__ = (
        "answer",
        "answered_ns",
        "changed",
        "first",
        "members",
        "moves",
        "open",
        "room",
        "sender",
        "sent_ns",
        "sequence",
        "text",
        "times",
    )

    def __init__(self, room: str, sender: str, text: str, members: Iterable[str], moves: int) -> None:
        self.moves = moves
        """How many moves had been made before it was sent."""
        self.room = room
        self.sender = sender
        self.text = text
        self.members = set(members)
        """Who could get it: members when it was sent, and those who came while nobody knew whether it is stored."""
        self.open: set[int | None] = set()
        """Tries under way, or ended with nobody knowing: it may be stored at any later time."""
        self.sent_ns: int | None = None
        self.answered_ns: int | None = None
        self.answer = ""
        self.sequence: int | None = None
        self.first: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.changed: dict[str, str] = {}
        """What was other, for whom, than it was sent."""

    def compare(self, op: Op) -> None:
        """Note what a delivery has changed of what was sent."""
        sender, text = op.value.get("sender"), op.value.get("text")
        changes = []
        if sender is not None and str(sender) != self.sender:
            changes.append(f"as from {sender}")
        if text is not None and str(text) != self.text:
            changes.append("with another text")
        if changes:
            self.changed.setdefault(op.client, " and ".join(changes))


def merge(op: Op, begun: Op | None) -> Op:
    """Return a completion with what its invocation said as well."""
    if begun is None:
        return op
    value = {**begun.value, **op.value}
    return Op(op.index, op.time, op.process, op.type, op.f, value, op.op, op.step, op.t, op.error)


class Receipts:
    """Collects the receipts of some messages.

    Feed it every operation once, in order.
    """

    def __init__(self, plan: Plan, wanted: Iterable[str]) -> None:
        """Watch the messages called `wanted`."""
        self._plan = plan
        self._wanted = set(wanted)
        self._seen: dict[str, _Seen] = {}
        self._users = {client.name: client.user for client in plan.clients}
        self._members = {room.name: set(room.members) for room in plan.rooms}
        self._shows_all = {room.name for room in plan.rooms if room.history == "whole_room"}
        self._connected: set[str] = set()
        self._moves: list[_Move] = []

    def watch(self, name: str) -> None:
        """Watch one more message, from the next operation on."""
        self._wanted.add(name)

    def feed(self, op: Op, begun: Op | None = None) -> bool:
        """Take in one operation, and the one that it completes; return whether it is about a watched message."""
        match op.f:
            case "send" | "deliver" | "read":
                name = message_name((begun or op).value) if self._wanted else ""
                if name not in self._wanted:
                    return False
                self._note(name, merge(op, begun))
                return True
            case "connect" if op.type == "ok":
                self._connected.add(op.client)
            case "create" if op.type == "ok":
                self._made(merge(op, begun))
            case "join" | "add" | "leave" | "kick" if op.type == "ok":
                self._move(merge(op, begun))
            case _:
                pass
        return False

    def _note(self, name: str, op: Op) -> None:
        value = op.value
        seen = self._seen.get(name)
        if seen is None:
            room = str(value.get("room", ""))
            members = self._members.get(room, ())
            seen = _Seen(
                room, str(value.get("sender", "")), str(value.get("text", "")), members, len(self._moves)
            )
            self._seen[name] = seen
        if op.f == "deliver":
            seen.first.setdefault(op.client, op.time)
            seen.times[op.client] = seen.times.get(op.client, 0) + 1
            if seen.sent_ns is not None:
                seen.compare(op)
        elif op.f == "send" and op.type == "invoke":
            if seen.answer != "ok":
                seen.open.add(op.op)
            if seen.sent_ns is None:
                seen.sent_ns = op.time
        elif op.f == "send" and seen.answer != "ok":
            if op.type == "ok":
                seen.open.clear()
            elif op.type == "fail":
                seen.open.discard(op.op)
            seen.answered_ns = op.time
            seen.answer = "ok" if op.type == "ok" else refusal(op)
        if seen.sequence is None and isinstance(value.get("sequence"), int):
            seen.sequence = value["sequence"]

    def _made(self, op: Op) -> None:
        room = str(op.value.get("room", ""))
        if room not in self._members:
            self._members[room] = {str(user) for user in op.value.get("members", ())}
            if op.value.get("history") == "whole_room":
                self._shows_all.add(room)

    def _move(self, op: Op) -> None:
        room = str(op.value.get("room", ""))
        user = str(op.value.get("user") or self._users.get(op.client, op.client))
        members = self._members.setdefault(room, set())
        self._moves.append(_Move(user, room, op.f, op.step))
        if op.f in ("leave", "kick"):
            members.discard(user)
            return
        members.add(user)
        came = op.value.get("sequence")
        for seen in self._seen.values():
            after = isinstance(came, int) and seen.sequence is not None and came < seen.sequence
            if seen.room == room and (seen.open or after or room in self._shows_all):
                seen.members.add(user)

    def result(self) -> Mapping[str, MessageReport]:
        """Return what became of each watched message, those never sent included."""
        planned = {
            name: (sender, action.room, text)
            for _, action in self._plan.sends()
            for sender, name, text in action.messages()
            if name in self._wanted
        }
        for name, (sender, room, text) in planned.items():
            if name not in self._seen:
                members = self._members.get(room, ())
                self._seen[name] = _Seen(
                    room, self._users.get(sender, sender), text, members, len(self._moves)
                )
        return {name: self._report(name, seen) for name, seen in self._seen.items()}

    def _report(self, name: str, seen: _Seen) -> MessageReport:
        return MessageReport(
            id=name,
            room=seen.room,
            sender=seen.sender,
            text=seen.text,
            sent_ns=seen.sent_ns,
            answered_ns=seen.answered_ns,
            answer=seen.answer or ("no answer" if seen.sent_ns is not None else ""),
            sequence=seen.sequence,
            receipts=tuple(
                Receipt(
                    client=client.name,
                    state=_state(
                        got=client.name in seen.first,
                        sender=client.user == seen.sender and not client.include_own,
                        member=client.user in seen.members,
                    ),
                    time_ns=seen.first.get(client.name),
                    times=seen.times.get(client.name, 0),
                    connected=client.name in self._connected,
                    note=seen.changed.get(client.name)
                    or ("" if client.user in seen.members else self._absence(client.user, seen)),
                )
                for client in self._plan.clients
            ),
        )

    def _absence(self, user: str, seen: _Seen) -> str:
        """Say why somebody was no member when a message was sent; empty for one who never came or went."""
        moves = [
            (at, move) for at, move in enumerate(self._moves) if (move.user, move.room) == (user, seen.room)
        ]
        before = [move for at, move in moves if at < seen.moves]
        if before and before[-1].f in _GONE:
            return f"{_GONE[before[-1].f]}{self._line(before[-1]).replace(' ', ', ', 1)}"
        after = next((move for at, move in moves if at >= seen.moves and move.f in _COME), None)
        if after is None:
            return ""
        return f"not yet: {_COME[after.f]}{self._line(after)}, history since_join"

    def _line(self, move: _Move) -> str:
        span = self._plan.spans.get(move.step or "")
        return f" line {span.line}" if span is not None else ""


def _state(*, got: bool, sender: bool, member: bool) -> State:
    if got:
        return "echo" if sender else "got" if member else "leak"
    return "sender" if sender else "never" if member else "outside"
