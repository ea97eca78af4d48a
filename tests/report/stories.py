"""Small runs made by hand, one for each thing that a report must be able to tell."""

from __future__ import annotations

from collections.abc import Callable

from harness.model.span import Span
from harness.model.verdict import RunStatus, Status, Verdict, Violation
from harness.report.model import RowReport
from tests.report.cut_short import client_died, interrupted, not_ready, server_died, skipped, unknown
from tests.report.story import EXPECT, INBOX, SOURCE, SPANS, USUAL, Story, a_plan, bad


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
