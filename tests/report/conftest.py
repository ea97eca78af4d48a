"""Small runs made by hand, one for each thing that a report must be able to tell.

`Story` writes a plan and a history as a run would; a function below tells each story. Tests that take the
fixture `told` run once for every story; `tell` makes one by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.model.history import Op
from harness.model.plan import Client, Connect, Expect, Inbox, InboxItem, Plan, Room, Send, Step, Wait
from harness.model.span import Span
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
        self.ops.append(Op(index, int(ms * MS), process, kind, f, value or {}, op, pointer, None, error))  # type: ignore[arg-type]
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
        return build(
            self.plan, self.ops, judgement, self.env, self.logs, directory="reports/latest/latecomers"
        )


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


def passes() -> RowReport:
    story = Story().begin()
    story.sent()
    story.got(516, "alice")
    story.got(517, "chad")
    story.expected(530)
    return story.end().judged(RunStatus.PASS, *USUAL, EXPECT, INBOX)


def undelivered() -> RowReport:
    story = Story().begin()
    first, answered = story.sent()
    seen = story.got(516, "alice")
    story.expected(2_520, "fail")
    fence = story.fenced(6_600, "chad")
    story.logs = {
        "server": ["0.512 store  append #1 room=lobby from=bob", "0.513 send   #1 -> alice"],
        "chad": ["0.121 connected, cursor 0", "6.600 fence reached"],
        "alice": ["0.516 recv   #1 hello"],
    }
    loss = Violation(
        kind="undelivered",
        sentence="chad never got `hello`, which was acknowledged to bob",
        ops=(first, answered, seen, fence),
        pointers=("/steps/1", "/inboxes/chad/0"),
        clients=("chad",),
        messages=("hello",),
        hint="The server acknowledged it and told only some of the members.",
    )
    missed = Violation(
        kind="missing",
        sentence="chad did not get `hello` within 2 s",
        ops=(first, fence),
        pointers=("/steps/2/received_by/1",),
        clients=("chad",),
        messages=("hello",),
    )
    inbox = Violation(
        kind="inbox",
        sentence="chad's inbox lacks `hello`",
        pointers=("/inboxes/chad/0",),
        clients=("chad",),
        messages=("hello",),
        expected="hello",
        actual="nothing",
    )
    return story.end().judged(
        RunStatus.FAIL,
        bad("no-loss", loss, evidence={"by position": 3, "by window": 0, "not connected": 0}),
        *USUAL[1:],
        bad("expect hello", missed, group="expectation", pointer="/steps/2"),
        bad("inbox of chad", inbox, group="expectation", pointer="/inboxes/chad"),
        reason=loss.sentence,
    )


def leak() -> RowReport:
    story = Story().begin()
    first, _ = story.sent()
    story.got(516, "alice")
    story.got(517, "chad")
    seen = story.got(519, "doug")
    story.expected(530, "fail")
    violation = Violation(
        kind="leak",
        sentence="doug got `hello`, which bob sent to lobby: doug was not a member of it",
        ops=(first, seen),
        pointers=("/steps/1", "/steps/2/not_by/1"),
        clients=("doug",),
        messages=("hello",),
        hint="The server does not check membership where it hands messages out.",
    )
    return story.end().judged(
        RunStatus.FAIL, bad("members-only", violation), EXPECT, reason=violation.sentence
    )


def echo() -> RowReport:
    story = Story().begin()
    first, _ = story.sent()
    seen = story.got(515, "bob", own=True)
    story.got(516, "alice")
    again = story.got(518, "bob", own=True)
    story.got(517.5, "chad")
    story.expected(530, "fail")
    violation = Violation(
        kind="echo",
        sentence="bob got `hello`, which bob sent",
        ops=(first, seen, again),
        pointers=("/steps/1",),
        clients=("bob",),
        messages=("hello",),
    )
    return story.end().judged(RunStatus.FAIL, bad("no-echo", violation), EXPECT, reason=violation.sentence)


def expect_missed() -> RowReport:
    story = Story().begin()
    first, _ = story.sent()
    story.got(516, "alice")
    ended = story.expected(2_520, "fail")
    late = story.got(2_900, "chad")
    violation = Violation(
        kind="missing",
        sentence="chad got `hello` only at 2.900 s, 2.39 s after it was sent; 2 s were allowed",
        ops=(first, ended, late),
        pointers=("/steps/2/received_by/1", "/steps/1"),
        clients=("chad",),
        messages=("hello",),
    )
    return story.end().judged(
        RunStatus.FAIL,
        *USUAL,
        bad("expect hello", violation, group="expectation", pointer="/steps/2"),
        INBOX,
        reason=violation.sentence,
    )


def inbox_order() -> RowReport:
    story = Story().begin()
    story.sent()
    early = story.op(
        400,
        "alice",
        "invoke",
        "send",
        story.message(id="early", client_message_id="early", sender="alice"),
        op=201,
    )
    story.op(402, "alice", "ok", "send", {"sequence": 2}, op=201)
    one = story.got(516, "chad")
    other = story.op(
        517, "chad", "ok", "deliver", story.message(id="early", client_message_id="early", sender="alice")
    )
    story.expected(530)
    violation = Violation(
        kind="order",
        sentence="chad got `early` after `hello`, and the inbox says before it",
        ops=(early, one, other),
        pointers=("/inboxes/chad",),
        clients=("chad",),
        messages=("early", "hello"),
        expected="early, hello",
        actual="hello, early",
    )
    return story.end().judged(
        RunStatus.FAIL,
        *USUAL,
        EXPECT,
        bad("inbox of chad", violation, group="expectation", pointer="/inboxes/chad"),
        reason=violation.sentence,
    )


def _send_failed(answer: str, violation: Violation, name: str) -> RowReport:
    story = Story().begin()
    ops = story.sent(answer=answer)
    reason = violation.sentence
    story.op(515, "script", "fail", "script", {"reason": reason}, op=1, step=1)
    told = Violation(
        kind=violation.kind,
        sentence=reason,
        ops=ops,
        pointers=("/steps/1",),
        clients=("bob",),
        messages=("hello",),
        expected=violation.expected,
        actual=violation.actual,
    )
    late = Verdict(
        name="expect hello",
        group="expectation",
        status=Status.NOT_EXERCISED,
        pointer="/steps/2",
        reason="not reached",
    )
    return story.end().judged(RunStatus.FAIL, bad(name, told, group="run"), late, reason=reason)


def outcome() -> RowReport:
    sentence = "bob's send of `hello` got no answer, though nothing was wrong with the network"
    return _send_failed(
        "info DEADLINE_EXCEEDED",
        Violation(kind="outcome", sentence=sentence, expected="ok", actual="no answer (DEADLINE_EXCEEDED)"),
        "outcome",
    )


def refused() -> RowReport:
    sentence = "bob's send of `hello` should have been refused with NOT_FOUND"
    return _send_failed(
        "fail PERMISSION_DENIED",
        Violation(
            kind="refused", sentence=sentence, expected="NOT_FOUND", actual="PERMISSION_DENIED NOT_A_MEMBER"
        ),
        "refused",
    )


def server_died() -> RowReport:
    story = Story().begin()
    first, _ = story.sent()
    story.got(516, "alice")
    gone = story.op(1_231, "server", "ok", "exit", {"pid": 4127, "code": 1, "signal": None, "asked": False})
    story.op(1_232, "chad", "ok", "connection", {"state": "lost", "reason": "UNAVAILABLE"})
    reason = "the server ended unasked (exit 1)"
    story.op(1_240, "script", "fail", "script", {"reason": reason}, op=1)
    story.logs = {
        "server": ["0.512 store  append #1", "Traceback (most recent call last):", "KeyError: 'chad'"]
    }
    violation = Violation(
        kind="server-died",
        sentence="the server ended by itself with exit 1 while the script was played",
        ops=(first, gone),
        messages=("hello",),
        hint="Its last lines below say why.",
    )
    return story.judged(
        RunStatus.FAIL, *USUAL[1:], bad("processes", violation, group="run"), reason=violation.sentence
    )


def client_died() -> RowReport:
    story = Story().begin()
    story.sent()
    story.got(516, "alice")
    gone = story.op(518, "chad", "ok", "exit", {"pid": 4131, "code": None, "signal": 11, "asked": False})
    violation = Violation(
        kind="client-died",
        sentence="chad's process was killed by signal 11, unasked",
        ops=(gone,),
        clients=("chad",),
    )
    return story.judged(RunStatus.FAIL, bad("processes", violation, group="run"), reason=violation.sentence)


def unknown() -> RowReport:
    story = Story().begin()
    first, answered = story.sent(answer="info UNAVAILABLE")
    reason = "3 sends had no answer and the server was down at the final fence"
    opened = Violation(
        kind="undelivered",
        sentence="chad never got `hello`",
        ops=(first, answered),
        pointers=("/steps/1",),
        clients=("chad",),
        messages=("hello",),
        world="only if the send happened",
    )
    verdicts = (
        Verdict(
            name="no-loss", group="invariant", status=Status.UNKNOWN, reason=reason, violations=(opened,)
        ),
        Verdict(name="one-order", group="invariant", status=Status.UNKNOWN, reason="no audit was made"),
        EXPECT,
    )
    return story.end().judged(RunStatus.UNKNOWN, *verdicts, reason=f"no-loss could not be judged: {reason}")


def not_ready() -> RowReport:
    story = Story()
    story.env |= {
        "status": "error",
        "reason": "the server was not ready within 5 s",
        "duration_ns": 5_100 * MS,
        "scripted_waiting_ns": 0,
        "error": {
            "sentence": "the server was not ready within 5 s",
            "process": "server",
            "exit": "exit 1 after 0.21 s",
            "command": "chatsys serve --port 0 --data <run>/data",
            "last_lines": ["starting", "OSError: [Errno 98] address already in use: 127.0.0.1:50051"],
            "help": "`--port 0` lets the system choose; a fixed port can be held by somebody else",
        },
    }
    return story.report(None)


def skipped() -> RowReport:
    story = Story()
    story.env |= {"duration_ns": 0, "scripted_waiting_ns": 0}
    return story.judged(
        RunStatus.SKIPPED, reason="the server lacks the capability `restart`, which step 4 needs"
    )


def interrupted() -> RowReport:
    story = Story().begin()
    story.env |= {"status": "interrupted", "reason": "interrupted"}
    story.sent()
    story.got(516, "alice")
    return story.end().judged(RunStatus.UNKNOWN, *USUAL[:1], reason="nobody was read to the end")


def fifty_clients() -> RowReport:
    cast = tuple(f"user-{n}" for n in range(1, 50))
    plan = a_plan(name="storm", cast=("bob", *cast))
    story = Story(plan).begin()
    first, answered = story.sent()
    lost = {"user-7", "user-8", "user-30"}
    for place, name in enumerate(cast[:-1]):
        if name not in lost:
            story.got(516 + place, name)
    ends = [story.fenced(6_600 + n, name) for n, name in enumerate(sorted(lost))]
    violation = Violation(
        kind="undelivered",
        sentence="user-7, user-8 and user-30 never got `hello`, which was acknowledged to bob",
        ops=(first, answered, ends[0]),
        pointers=("/steps/1",),
        clients=("user-7", "user-8", "user-30"),
        messages=("hello",),
    )
    more = [
        Violation(
            kind="lost", sentence=f"`line.{n}` is in no inbox and not in the audit", pointers=("/steps/1",)
        )
        for n in range(1, 40)
    ]
    return story.end().judged(RunStatus.FAIL, bad("no-loss", violation, *more), reason=violation.sentence)


#: Escapes, a change of direction, NUL, stacked marks, a lone surrogate, the end of a CDATA section, and length.
HOSTILE = "\x1b[2J\x1b]0;owned\x07 <b>&\"' \u202egnp.exe\x00 e" + "\u0301" * 40 + "\ud800 ]]>" + "A" * 3_000


def hostile() -> RowReport:
    story = Story(a_plan(text=HOSTILE)).begin()
    first, _ = story.sent()
    seen = story.got(
        519,
        "doug",
        id=None,
        client_message_id="\x1b[31m\r\nFAKE PASS",
        sender="\u202eevil\x07",
        room="lob\tby",
    )
    story.got(516, "alice")
    story.logs = {"server": ["\x1b[2Jhello\x07", "x" * 500], "doug": ["\u2028line separator\x9b31m"]}
    violation = Violation(
        kind="phantom",
        sentence="doug got a message that nobody sent: \x1b[31mred\n\n" + "B" * 2_000,
        ops=(first, seen),
        pointers=("/steps/1",),
        clients=("doug",),
        messages=("\x1b[31m\r\nFAKE PASS", "hello"),
        expected="\x07" * 3,
        actual="\u202e",
        hint="\x1b]8;;http://evil\x07click",
    )
    story.env["reason"] = "\x1b[31m"
    return story.end().judged(RunStatus.FAIL, bad("no-phantom \x1b[1m", violation), reason=violation.sentence)


def wide() -> RowReport:
    cast = ("李雷", "bob", "韩梅梅", "👩‍👩‍👧")
    source = SOURCE.replace("[alice, chad]", "[李雷, 韩梅梅]").replace(
        "Now we are all here.", "大家好，都到了吗？"
    )
    spans = {**SPANS, "/steps/2/received_by/1": Span(13, 23, 3)}
    story = Story(a_plan(cast=cast, text="大家好，都到了吗？", source=source, spans=spans)).begin()
    first, answered = story.sent()
    story.got(516, "李雷")
    fence = story.fenced(6_600, "韩梅梅")
    violation = Violation(
        kind="undelivered",
        sentence="韩梅梅 never got `hello`, which was acknowledged to bob",
        ops=(first, answered, fence),
        pointers=("/steps/2/received_by/1", "/steps/1"),
        clients=("韩梅梅",),
        messages=("hello",),
    )
    return story.end().judged(RunStatus.FAIL, bad("no-loss", violation), reason=violation.sentence)


STORIES: dict[str, Callable[[], RowReport]] = {
    story.__name__: story
    for story in (
        passes,
        undelivered,
        leak,
        echo,
        expect_missed,
        inbox_order,
        outcome,
        refused,
        server_died,
        client_died,
        unknown,
        not_ready,
        skipped,
        interrupted,
        fifty_clients,
        hostile,
        wide,
    )
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `told` once for every story."""
    if "told" in metafunc.fixturenames:
        metafunc.parametrize("told", sorted(STORIES), indirect=True)


@pytest.fixture
def told(request: pytest.FixtureRequest) -> tuple[str, RowReport]:
    """(name, report) of one story."""
    return request.param, STORIES[request.param]()


@pytest.fixture
def tell() -> Callable[[str], RowReport]:
    """Makes the report of a story by its name."""
    return lambda name: STORIES[name]()


@pytest.fixture
def story() -> Callable[..., Story]:
    """Makes a new story."""
    return lambda **changes: Story(a_plan(**changes))
