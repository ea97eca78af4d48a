"""A plan, a history and verdicts made by hand, as a run would write them, and the report of them."""

from __future__ import annotations

from typing import Any

from harness.model.actions import Connect, Expect, InboxItem, Send, Wait
from harness.model.cast import Client, Room
from harness.model.history import Op
from harness.model.plan import Inbox, Plan
from harness.model.span import Span
from harness.model.steps import Step
from harness.model.verdict import Judgement, RunStatus, Status, Verdict, Violation
from harness.report.model import RowReport, build

SOURCE = """\
# yaml-language-server: $schema=../schema/scenario.v1.json
scenario: Latecomers catch up, strangers hear nothing
clients: [alice, bob, chad, doug]
rooms:
  lobby: [alice, bob, chad]         # members; doug is in no room

steps:
  - connect: [alice, bob, chad, doug]
  - send: Now we are all here.
    from: bob
    id: hello
  - expect: hello
    received_by: [alice, chad]
    not_by: [bob, doug]
    within: 2s
  - wait: 5s

inboxes:
  alice: [hello]
  chad:  [hello]
  doug:  []
"""
SPANS = {
    "/steps/0": Span(8, 5, 7),
    "/steps/1": Span(9, 5, 4),
    "/steps/2": Span(12, 5, 6),
    "/steps/2/received_by/1": Span(13, 26, 4),
    "/steps/2/not_by/1": Span(14, 19, 4),
    "/steps/3": Span(16, 5, 4),
    "/inboxes/alice": Span(19, 3, 5),
    "/inboxes/chad": Span(20, 3, 4),
    "/inboxes/chad/0": Span(20, 11, 5),
    "/inboxes/doug": Span(21, 3, 4),
}
CAST = ("alice", "bob", "chad", "doug")
MS = 1_000_000


def a_plan(
    *,
    name: str = "latecomers",
    cast: tuple[str, ...] = CAST,
    text: str = "Now we are all here.",
    **changes: Any,
) -> Plan:
    """The scenario above as a plan; with another cast, all but the last are members."""
    within = 2_000 * MS
    fields: dict[str, Any] = {
        "title": "Latecomers catch up, strangers hear nothing",
        "name": name,
        "file": f"scenarios/{name}.yaml",
        "source": SOURCE,
        "clients": tuple(Client(name=n, user=n, display_name=n) for n in cast),
        "rooms": (Room(name="lobby", members=cast[:-1]),),
        "steps": (
            Step(pointer="/steps/0", action=Connect(who=cast), within_ns=10_000 * MS),
            Step(
                pointer="/steps/1",
                action=Send(senders=("bob",), room="lobby", text=text, id="hello"),
                within_ns=within,
            ),
            Step(
                pointer="/steps/2",
                action=Expect(
                    ids=("hello",), written="hello", received_by=("alice", "chad"), not_by=("bob", "doug")
                ),
                within_ns=within,
                within_given=True,
            ),
            Step(pointer="/steps/3", action=Wait(duration_ns=5_000 * MS), within_ns=within),
        ),
        "inboxes": (
            Inbox(
                client="chad",
                room="lobby",
                pointer="/inboxes/chad",
                items=(InboxItem(pointer="/inboxes/chad/0", written="hello", series=(("hello",),)),),
            ),
        ),
        "listed": ("alice", "chad", "doug"),
        "seed": 20261122,
        "spans": SPANS,
    }
    return Plan(**{**fields, **changes})


_TOLD: list[tuple[RowReport, Story]] = []


def story_of(row: RowReport) -> Story:
    """The story that a report was made from."""
    return next(story for told, story in _TOLD if told is row)


class Story:
    """A plan, and the history of playing it, told one operation at a time."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or a_plan()
        self.ops: list[Op] = []
        self.logs: dict[str, list[str]] = {}
        self.env: dict[str, Any] = {
            "seed": self.plan.seed,
            "started_at": "2026-11-22T15:30:12.000+00:00",
            "duration_ns": 6_700 * MS,
            "scripted_waiting_ns": 5_000 * MS,
            "versions": {"chatsim": "0.1.0", "python": "3.11.7"},
            "platform": "Linux 6.1 x86_64",
            "cpus": 2,
        }
        self.text = next(send.text for _, send in self.plan.sends())
        self._number = 0

    def op(
        self,
        ms: float,
        process: str,
        kind: str,
        f: str,
        value: dict[str, Any] | None = None,
        *,
        op: int | None = None,
        step: int | None = None,
        error: dict[str, Any] | None = None,
    ) -> int:
        """Record one operation and return its index."""
        index = len(self.ops)
        pointer = None if step is None else f"/steps/{step}"
        self.ops.append(Op(index, int(ms * MS), process, kind, f, value or {}, op, pointer, None, error))  # type: ignore[arg-type]  # any text will do here
        return index

    def begin(self) -> Story:
        """Server and clients come up, and everybody connects."""
        self._number += 1
        self.op(0, "server", "invoke", "start", {"command": "chatsys serve"}, op=900)
        self.op(
            80,
            "server",
            "ok",
            "start",
            {"pid": 4127, "host": "127.0.0.1", "port": 1, "instance": "a"},
            op=900,
        )
        for place, client in enumerate(self.plan.clients):
            self.op(90 + place, client.name, "ok", "spawn", {"pid": 4129 + place, "incarnation": 1})
        for place, client in enumerate(self.plan.clients):
            self.op(100 + place, client.name, "invoke", "connect", {}, op=100 + place, step=0)
        for place, client in enumerate(self.plan.clients):
            self.op(120 + place, client.name, "ok", "connect", {"position": "p"}, op=100 + place, step=0)
        return self

    def message(self, **more: Any) -> dict[str, Any]:
        """The value of an operation about the message `hello`."""
        sent = {
            "room": "lobby",
            "id": "hello",
            "client_message_id": "hello",
            "sender": "bob",
            "text": self.text,
        }
        return {**sent, **more}

    def sent(self, ms: float = 512, *, answer: str = "ok") -> tuple[int, int]:
        """Bob sends `hello`; return the indices of invocation and completion."""
        first = self.op(ms, "bob", "invoke", "send", self.message(), op=200, step=1)
        if answer == "ok":
            return first, self.op(ms + 2, "bob", "ok", "send", self.message(sequence=1), op=200, step=1)
        kind, _, code = answer.partition(" ")
        error = (
            {"code": code, "reason": "NOT_A_MEMBER" if kind == "fail" else "", "message": ""}
            if code
            else None
        )
        return first, self.op(ms + 2, "bob", kind, "send", self.message(), op=200, step=1, error=error)

    def got(self, ms: float, client: str, **more: Any) -> int:
        """A client gets `hello`, or what `more` makes of it."""
        return self.op(ms, client, "ok", "deliver", self.message(sequence=1, via=100, **more))

    def expected(self, ms: float = 2_520, kind: str = "ok") -> int:
        """The step `expect` ends."""
        value = {"ids": ["hello"], "received_by": ["alice", "chad"], "not_by": ["bob", "doug"]}
        self.op(520, "script", "invoke", "expect", value, op=300, step=2)
        return self.op(ms, "script", kind, "expect", value, op=300, step=2)

    def fenced(self, ms: float, client: str) -> int:
        """A client is read past everything, by position."""
        self.op(ms - 1, client, "invoke", "fence", {"grade": "position", "positions": ["p"]}, op=400)
        return self.op(ms, client, "ok", "fence", {"grade": "position", "caught_up": True}, op=400)

    def end(self, ms: float = 6_690) -> Story:
        """Everybody is told to go."""
        for place, client in enumerate(self.plan.clients):
            gone = {"pid": 4129 + place, "code": 0, "signal": None, "asked": True}
            self.op(ms + place / 10, client.name, "ok", "exit", gone)
        self.op(ms + 9, "server", "ok", "exit", {"pid": 4127, "code": None, "signal": 15, "asked": True})
        return self

    def judged(self, status: RunStatus, *verdicts: Verdict, reason: str = "") -> RowReport:
        """The report of it all."""
        judgement = Judgement(status=status, reason=reason, verdicts=verdicts)
        return self.report(judgement)

    def report(self, judgement: Judgement | None) -> RowReport:
        row = build(
            self.plan, self.ops, judgement, self.env, self.logs, directory="reports/latest/latecomers"
        )
        _TOLD.append((row, self))
        return row


def good(name: str, group: Any = "invariant", **more: Any) -> Verdict:
    return Verdict(name=name, group=group, status=Status.PASS, exercised=3, **more)


def bad(name: str, *violations: Violation, group: Any = "invariant", **more: Any) -> Verdict:
    return Verdict(name=name, group=group, status=Status.FAIL, exercised=3, violations=violations, **more)


USUAL = (
    good("no-loss", evidence={"by position": 3, "by marker": 0, "by window": 0, "not connected": 1}),
    Verdict(name="no-duplicate", group="invariant", status=Status.PASS, exercised=2),
    Verdict(
        name="cursors", group="invariant", status=Status.NOT_EXERCISED, reason="nobody asked for a cursor"
    ),
    Verdict(
        name="claims",
        group="invariant",
        status=Status.NOT_APPLICABLE,
        reason="the server has no capability `position`",
    ),
)
EXPECT = good("expect hello", "expectation", pointer="/steps/2")
INBOX = good("inbox of chad", "expectation", pointer="/inboxes/chad")
