"""Stories of runs that did not come to their end, or to no clear one."""

from __future__ import annotations

from harness.model.verdict import RunStatus, Status, Verdict, Violation
from harness.report.model import RowReport
from tests.report.story import EXPECT, MS, USUAL, Story, bad


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
        kind="process",
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
        kind="process",
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
    story.op(520, "script", "invoke", "expect", {"ids": ["hello"]}, op=300, step=2)
    return story.end().judged(RunStatus.UNKNOWN, *USUAL[:1], reason="nobody was read to the end")
