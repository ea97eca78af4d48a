"""What a sequence diagram shows: who lived when, what went from whom to whom, what was done to them.

A fold over the operations of a run, in their order; pure. Where things stand on paper is decided by who draws.

A history knows when a client asked and when it was answered, but not when the server had the message in between. A
message is drawn at the server half way between its sending, or the server's return, and the first sign that the
server has it, which is an answer or a delivery. A delivery leaves there, or when its receiver began to listen,
whichever was later: never before the receiver's connect is drawn at the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from harness.model.history import FENCE, HARNESS, NEMESIS, SCRIPT, SERVER, Op
from harness.report.lives import Band, Life, Lives
from harness.report.text import safe
from harness.report.words import message_name, refusal, say_op

ArrowKind = Literal["send", "answer", "deliver", "ack", "connect"]
MarkKind = Literal["life", "fault", "refused", "unknown", "fence", "kept", "broken", "never", "act"]

#: Parties without a lane.
OFFSTAGE = frozenset({SCRIPT, NEMESIS, HARNESS, FENCE})


class Arrow(NamedTuple):
    """Something that went from one lane to another."""

    op: int
    """The operation that ended it, or began it when nothing did."""
    kind: ArrowKind
    source: str
    begun_ns: int
    target: str
    ended_ns: int
    label: str
    message: str = ""
    """The message's key in `Page.messages`, or empty."""
    end: Literal["arrived", "refused", "unknown", "unwanted"] = "arrived"


class Mark(NamedTuple):
    """Something at one moment of one lane."""

    op: int
    kind: MarkKind
    lane: str
    time_ns: int
    label: str
    message: str = ""


class Diagram(NamedTuple):
    """All of it, in order of time."""

    lanes: tuple[str, ...]
    """The server, then the clients in the order of the cast."""
    lives: tuple[Life, ...]
    bands: tuple[Band, ...]
    arrows: tuple[Arrow, ...]
    marks: tuple[Mark, ...]


class _Flight:
    """A message on its way: when it was first sent, and the first sign that the server has it."""

    __slots__ = ("seen_ns", "sent_ns", "up_ns")

    def __init__(self, sent_ns: int) -> None:
        self.sent_ns = sent_ns
        self.seen_ns: int | None = None
        self.up_ns = 0
        """Since when the server was up that showed the sign."""

    def seen(self, now: int, up_ns: int) -> None:
        if self.seen_ns is None:
            self.seen_ns, self.up_ns = now, up_ns

    @property
    def stored_ns(self) -> int:
        return self.sent_ns if self.seen_ns is None else (max(self.sent_ns, self.up_ns) + self.seen_ns) // 2


class Chart:
    """Collects what is drawn.

    Feed it every operation once, in order: lives and faults are kept of the whole run, arrows and marks of the
    operations that are `shown`.
    """

    def __init__(self, clients: Sequence[str], unwanted: Mapping[str, frozenset[str]]) -> None:
        """Take the cast, and who got what they should not have: message -> clients."""
        self._clients = tuple(clients)
        self._known = frozenset((*clients, SERVER))
        self._unwanted = unwanted
        self._lives = Lives()
        self._flights: dict[str, _Flight] = {}
        self._asked: dict[int, int] = {}
        self._connecting: dict[str, int] = {}
        """Processes that have asked to connect: when, or when the server had that, as a first delivery shows."""
        self._arrows: list[Arrow] = []
        self._marks: list[Mark] = []

    def feed(self, op: Op, begun: Op | None, *, shown: bool) -> None:
        """Take in one operation, its values merged with those of `begun`, the invocation that it completes."""
        struck, since = self._lives.struck(op.client), self._lives.since(op.process)
        self._lives.feed(op)
        if not shown:
            return
        if op.type == "invoke" and op.op is not None and op.f in ("connect", "poll"):
            self._asked[op.op] = op.time
        if op.process == SCRIPT:
            self._judge(op)
        elif op.client in self._known and op.process not in OFFSTAGE:
            self._party(op, begun, since, struck=struck)

    def diagram(self, end_ns: int, never: Sequence[Mark] = ()) -> Diagram:
        """Return what is drawn of a run that ended then, with deliveries that did not happen."""
        lives, bands = self._lives.result(end_ns)
        arrows = sorted((self._settled(arrow) for arrow in self._arrows), key=lambda a: (a.ended_ns, a.op))
        marks = sorted([*self._marks, *never], key=lambda m: (m.time_ns, m.op))
        return Diagram((SERVER, *self._clients), lives, bands, tuple(arrows), tuple(marks))

    def _judge(self, op: Op) -> None:
        if op.f != "expect" or op.type == "invoke":
            return
        named = (*op.value.get("received_by", ()), *op.value.get("not_by", ()))
        wrong = {pair[0] for pair in (*op.value.get("missing", ()), *op.value.get("seen", ()))}
        if op.type != "ok" and not wrong:
            wrong = set(named)  # it broke off, and nobody looked who had it
        for name in dict.fromkeys(named):
            if name in self._known:
                kind: MarkKind = "broken" if name in wrong else "kept"
                self._marks.append(Mark(op.index, kind, name, op.time, safe(say_op(op))))

    def _party(self, op: Op, begun: Op | None, since: int, *, struck: bool) -> None:
        began = begun.time if begun else op.time
        match op.f, op.type:
            case "send", "invoke":
                self._flights.setdefault(safe(message_name(op.value)), _Flight(op.time))
            case "send", _:
                self._sent(op, began)
            case "deliver", _:
                self._delivered(op, since)
            case "connect", "invoke":
                self._connecting[op.process] = op.time
            case "connect", "ok":
                had = self._connecting.pop(op.process, began)
                had = had if had > began else (began + op.time) // 2
                self._arrows.append(Arrow(op.index, "connect", op.client, began, SERVER, had, "connect"))
            case "ack", "ok":
                through = ", ".join(f"#{number}" for number in op.value.get("acks", {}).values())
                self._arrow(op, "ack", began, f"read to {safe(through)}")
            case "fence", "ok":
                self._mark(op, "fence", "fence")
            case "exit", _ if op.value.get("asked") and not struck:
                pass  # everybody is told to go at the end
            case (("start" | "exit" | "disconnect" | "connection" | "ended"), ("ok" | "fail" | "info")):
                self._mark(op, "life", "ready" if (op.f, op.type) == ("start", "ok") else say_op(op))
            case (("join" | "leave" | "create" | "add" | "kick"), "ok"):
                self._mark(op, "act", say_op(op))
            case _, ("fail" | "info"):
                self._mark(op, "refused" if op.type == "fail" else "unknown", say_op(op))
            case _:
                pass

    def _sent(self, op: Op, began: int) -> None:
        label = key = safe(message_name(op.value))
        flight = self._flights.setdefault(key, _Flight(began))
        if op.type == "ok":
            flight.seen(op.time, self._lives.since(SERVER))
            sequence = op.value.get("sequence")
            self._arrows.append(Arrow(op.index, "send", op.client, began, SERVER, op.time, label, key))
            told = "ok" if sequence is None else f"ok #{sequence}"
            self._arrows.append(Arrow(op.index, "answer", SERVER, began, op.client, op.time, told, key))
            return
        how: Literal["refused", "unknown"] = "refused" if op.type == "fail" else "unknown"
        self._arrows.append(Arrow(op.index, "send", op.client, began, SERVER, op.time, label, key, how))
        self._mark(op, how, refusal(op), key)

    def _delivered(self, op: Op, since: int) -> None:
        name = message_name(op.value)
        key = safe(name)
        flight = self._flights.get(key)
        if flight is not None:
            flight.seen(op.time, self._lives.since(SERVER))
        asked = self._connecting.get(op.process)
        if not since and asked is not None:
            # It overtook the answer to the connect, and left when the server had that.
            since = self._connecting[op.process] = (asked + op.time) // 2
        # Nothing leaves a server that is not there, however long ago it was asked.
        began = max(since, self._asked.get(op.value.get("via") or -1, 0), self._lives.since(SERVER))
        wrong = op.client in self._unwanted.get(name, ())
        self._arrows.append(
            Arrow(
                op.index,
                "deliver",
                SERVER,
                began,
                op.client,
                op.time,
                key,
                key,
                "unwanted" if wrong else "arrived",
            )
        )

    def _arrow(self, op: Op, kind: ArrowKind, began: int, label: str) -> None:
        self._arrows.append(Arrow(op.index, kind, op.client, began, SERVER, (began + op.time) // 2, label))

    def _mark(self, op: Op, kind: MarkKind, label: str, message: str = "") -> None:
        self._marks.append(Mark(op.index, kind, op.client, op.time, safe(label), message))

    def _settled(self, arrow: Arrow) -> Arrow:
        """Return an arrow with the moment at which the server had its message."""
        flight = self._flights.get(arrow.message)
        match arrow.kind:
            case "send":
                stored = flight.stored_ns if flight else arrow.begun_ns
                # A later try of a message that the server has already lands within its own time.
                middle = (arrow.begun_ns + arrow.ended_ns) // 2
                fits = arrow.end == "arrived" and arrow.begun_ns <= stored <= arrow.ended_ns
                return arrow._replace(ended_ns=stored if fits else middle)
            case "answer":
                stored = flight.stored_ns if flight else arrow.begun_ns
                middle = (arrow.begun_ns + arrow.ended_ns) // 2
                return arrow._replace(
                    begun_ns=stored if arrow.begun_ns <= stored <= arrow.ended_ns else middle
                )
            case "deliver":
                stored = flight.stored_ns if flight else arrow.ended_ns
                return arrow._replace(begun_ns=min(arrow.ended_ns, max(stored, arrow.begun_ns)))
            case _:
                return arrow
