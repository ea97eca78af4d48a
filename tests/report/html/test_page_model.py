"""What stands on a page, before it is a page."""

from __future__ import annotations

import pytest

from harness.model.gravity import certain
from harness.model.history import Op
from harness.model.verdict import RunStatus, Status, Verdict, Violation
from harness.report.failure import findings
from harness.report.html.findings import TOLD
from harness.report.html.logs import merge_logs, stamped
from harness.report.html.page import SHOWN, compose
from tests.report.story import MS, Story, a_plan, bad, story_of


@pytest.fixture
def page_of(tell):
    """Makes the page of a story by its name."""

    def make(name):
        row = tell(name)
        story = story_of(row)
        return compose(row, story.ops, story.logs)

    return make


def test_every_story_has_a_page_that_leaves_nothing_out(told):
    _, row = told
    story = story_of(row)
    page = compose(row, story.ops, story.logs)
    assert page.left_out == ()
    assert sorted(e.op for e in page.entries if e.op is not None) == list(range(len(story.ops)))
    assert page.focus == (0, page.end_ns)


def test_a_finding_is_what_the_terminal_tells(page_of):
    first, *others = page_of("undelivered").findings
    assert first.sure
    assert first.title == "no-loss (undelivered)"
    assert first.sentence == "chad never got `hello`, which was acknowledged to bob"
    assert first.line == 9
    assert (
        "alice ✓ 0.516 s   bob – sender   chad ✗ never   doug – not a member"
        in dict(first.facts)["who got it"]
    )
    assert [finding.title for finding in others] == ["expect hello", "inbox of chad"]


def test_of_each_kind_the_first_speaks_and_none_hides_another():
    def violation(kind, number):
        return Violation(kind=kind, sentence=f"{kind} {number}", clients=(f"user-{number % 2}",))

    many = [violation("lost", n) for n in range(50)]
    mixed = [many[0], violation("undelivered", 0), *many[1:]]
    story = Story().begin()
    inboxes = [bad(f"inbox of user-{n}", violation("inbox", n), group="expectation") for n in range(3)]
    page = compose(story.judged(RunStatus.FAIL, bad("no-loss", *mixed), *inboxes), story.ops, {})
    assert [(group.findings[0].sentence, group.total) for group in page.groups] == [
        ("lost 0", 50),
        ("undelivered 0", 1),
        ("inbox 0", 3),
    ]
    assert [len(group.findings) for group in page.groups] == [6, 1, 3]
    assert page.groups[0].who == "user-0 25 times, user-1 25 times"
    assert page.groups[1].who == ""
    assert len(page.findings) == 10
    assert page.more_findings == 0


def test_who_ended_by_itself_is_told_before_all_that_followed_from_it():
    died = Violation(kind="process", sentence="the server ended")
    lost = Violation(kind="lost", sentence="lost", messages=("hello",))
    inbox = Violation(kind="inbox", sentence="inbox", messages=("hello",))
    verdicts = (
        bad("inbox of bob", inbox, group="expectation"),
        bad("processes", died, group="run"),
        bad("no-loss", lost),
    )
    told = [violation.sentence for _, violation in certain(verdicts)]
    assert told == ["the server ended", "lost", "inbox"]


def test_what_was_changed_is_told_before_what_is_missing_for_that():
    def violation(kind, message):
        return Violation(kind=kind, sentence=f"{kind} {message}", messages=(message,))

    lost = bad("no-loss", violation("undelivered", "other"), violation("undelivered", "hello"))
    told = certain((lost, bad("no-phantom", violation("phantom", "hello"))))
    assert [item.sentence for _, item in told] == ["undelivered other", "phantom hello", "undelivered hello"]


def test_kinds_beyond_all_bounds_are_counted():
    kinds = [bad(f"kind-{n}", Violation(kind="odd", sentence="what")) for n in range(TOLD + 5)]
    story = Story().begin()
    page = compose(story.judged(RunStatus.FAIL, *kinds), story.ops, {})
    assert (len(page.groups), page.more_findings) == (TOLD, 5)


def test_what_never_came_is_drawn_when_it_was_certain(page_of):
    marks = [mark for mark in page_of("undelivered").diagram.marks if mark.kind == "never"]
    assert [(mark.lane, mark.message, mark.time_ns / MS) for mark in marks] == [("chad", "hello", 6_600)]


def test_who_got_what_tells_a_loss_from_what_nobody_misses(page_of):
    states = {name: page_of(name).messages[0] for name in ("undelivered", "server_died", "leak", "echo")}
    assert [cell.state for cell in states["undelivered"].cells] == ["got", "sender", "missed", "outside"]
    assert [cell.state for cell in states["server_died"].cells] == ["got", "sender", "none", "outside"]
    assert [cell.state for cell in states["leak"].cells] == ["got", "sender", "got", "leak"]
    echo = states["echo"].cells[1]
    assert (echo.state, echo.times) == ("echo", 2)
    assert all(message.odd for name, message in states.items() if name != "server_died")


def test_who_has_read_how_far_is_known():
    story = Story().begin()
    story.sent()
    story.got(516, "alice")
    story.op(520, "alice", "invoke", "ack", {"acks": {"lobby": 1}}, op=600)
    story.op(521, "alice", "ok", "ack", {"acks": {"lobby": 1}}, op=600)
    page = compose(story.judged(RunStatus.PASS), story.ops, {})
    assert [(ack.client, ack.room, ack.through, ack.time_ns / MS) for ack in page.acks] == [
        ("alice", "lobby", 1, 521)
    ]


def test_a_long_run_that_was_stopped_is_shown_where_it_was_stopped():
    story = Story()
    began = story.op(0, "script", "invoke", "script", {}, op=1)
    story.begin()
    for number in range(2_000):
        story.got(1_000 + number, "alice", id=f"m.{number}", client_message_id=f"m.{number}")
    ended = story.op(4_000, "script", "fail", "script", {"reason": "interrupted"}, op=1)
    stopped = Violation(kind="script", sentence="interrupted", ops=(began, ended))
    page = compose(story.judged(RunStatus.FAIL, bad("script", stopped, group="run")), story.ops, {})
    assert page.focus == (2_900 * MS, 4_000 * MS)


def test_a_long_run_is_told_around_its_first_violation():
    story = Story(a_plan()).begin()
    for number in range(20_000):
        name = f"m.{number}"
        story.op(1_000 + number, "alice", "ok", "deliver", story.message(id=name, client_message_id=name))
    wrong, far = 12_000, 100
    violation = Violation(
        kind="phantom", sentence="nobody sent it", ops=(wrong, len(story.ops) - 1), messages=("m.100",)
    )
    row = story.judged(RunStatus.FAIL, bad("no-phantom", violation))
    page = compose(row, story.ops, {})
    told = {entry.op for entry in page.entries}
    assert wrong in told
    assert len(story.ops) - 1 in told  # all of the proof
    assert far + len(Story(a_plan()).begin().ops) in told  # and what the violation is about
    assert SHOWN <= len(told) <= SHOWN + 200
    total, left = len(story.ops), len(story.ops) - len(told)
    assert page.left_out == (
        f"{left:,} of {total:,} operations; {len(told):,} around the first violation are here",
    )
    assert page.focus[0] < story.ops[wrong].time < page.focus[1]
    assert page.focus[1] - page.focus[0] < page.end_ns / 10
    assert sum(page.density) == total
    assert len(page.density) == 200


def test_a_long_run_that_passes_is_told_from_its_begin():
    story = Story().begin()
    for number in range(SHOWN + 1_000):
        story.op(1_000 + number, "alice", "ok", "poll", {}, op=7_000 + number)
    page = compose(story.judged(RunStatus.PASS), story.ops, {})
    assert [entry.op for entry in page.entries][:3] == [0, 1, 2]
    assert "from the begin of the run" in page.left_out[0]
    assert page.focus == (0, page.end_ns)


def test_messages_beyond_the_table_are_counted():
    cast = ("bob", *(f"user-{n}" for n in range(200)))
    story = Story(a_plan(cast=cast)).begin()
    for number in range(120):
        name = f"m.{number}"
        story.op(
            1_000 + number, "bob", "invoke", "send", story.message(id=name, client_message_id=name), op=number
        )
    page = compose(story.judged(RunStatus.PASS), story.ops, {})
    assert [message.name for message in page.messages] == [f"m.{n}" for n in range(99)]  # 20,000 cells of 201
    assert "21 of 120 messages in the table of who got what" in page.left_out


def test_messages_far_from_the_violation_are_in_the_table_as_far_as_there_is_room():
    story = Story().begin()
    for number in range(SHOWN):
        name = f"m.{number}"
        value = story.message(id=name, client_message_id=name)
        story.op(1_000 + number, "bob", "invoke", "send", value, op=number + 1_000)
        story.op(1_000 + number, "bob", "ok", "send", value, op=number + 1_000)
    wrong = len(story.ops) - 1
    violation = Violation(kind="phantom", sentence="what is that", ops=(wrong,), messages=(name,))
    page = compose(story.judged(RunStatus.FAIL, bad("no-phantom", violation)), story.ops, {})
    names = [message.name for message in page.messages]
    assert names[0] == "m.0"
    assert names[-1] == name
    assert len(names) == SHOWN  # 20,000 cells of four clients


def test_log_lines_are_put_where_they_were_written():
    logs = {
        "server": [
            "no stamp yet",
            "2026-11-22 16:30:12,500 INFO serving",  # in another zone
            "  and what follows a stamp",
            "2026-11-22 16:30:13,250 INFO leaving",
        ],
        "bob": ["2026-11-22T15:30:12.750Z hello"],
    }
    lines = stamped(logs, "2026-11-22T15:30:12.000+00:00")
    assert [(entry.process, entry.time_ns / MS) for entry in lines] == [
        ("server", 0),
        ("server", 500),
        ("server", 500),
        ("server", 1_250),
        ("bob", 750),
    ]
    assert [entry.text[-7:] for entry in merge_logs([], lines)] == [
        "amp yet",
        "serving",
        "a stamp",
        "Z hello",
        "leaving",
    ]


@pytest.mark.parametrize("started_at", ["", "yesterday"])
def test_without_a_begin_log_lines_stand_first(started_at):
    lines = stamped({"server": ["2026-11-22 16:30:12,500 INFO serving"]}, started_at)
    assert [entry.time_ns for entry in lines] == [0]


def test_a_stamp_that_is_no_time_is_text():
    lines = stamped({"server": ["2026-99-99 99:99:99 what"]}, "2026-11-22T15:30:12+00:00")
    assert [(entry.time_ns, entry.text) for entry in lines] == [(0, "2026-99-99 99:99:99 what")]


def test_operations_in_a_history_without_a_plan_for_them_do_no_harm():
    story = Story()
    ops = [Op(0, 5, "mallory", "ok", "deliver", {"id": None, "text": "who am I"})]
    page = compose(story.judged(RunStatus.PASS), ops, {})
    assert [message.name for message in page.messages] == ["“who am I”"]


def test_what_the_script_expects_of_no_member_is_not_what_he_missed():
    violation = Violation(kind="missing", sentence="", clients=("doug", "chad"), messages=("hello",))
    story = Story().begin()
    story.sent()
    row = story.judged(RunStatus.FAIL, bad("expect hello", violation, group="expectation"))
    (message,) = compose(row, story.ops, {}).messages
    assert [cell.state for cell in message.cells] == ["none", "sender", "missed", "asked"]
    assert message.odd


def test_only_the_script_expects_what_could_not_come():
    """Whoever a violated invariant speaks of, it does not say that he should have got its messages."""
    phantom = Violation(kind="phantom", sentence="", clients=("doug", "bob"), messages=("hello",))
    unwanted = Violation(kind="unwanted", sentence="", clients=("doug",), messages=("hello",))
    story = Story().begin()
    story.sent()
    row = story.judged(
        RunStatus.FAIL, bad("no-phantom", phantom), bad("expect hello", unwanted, group="expectation")
    )
    (message,) = compose(row, story.ops, {}).messages
    assert [cell.state for cell in message.cells] == ["none", "sender", "none", "outside"]


def test_what_came_other_than_it_was_sent_is_told(page_of):
    story = Story().begin()
    story.sent()
    story.got(516, "alice", sender="chad", text="What?")
    story.got(517, "chad")
    row = story.judged(RunStatus.PASS)
    (message,) = compose(row, story.ops, {}).messages
    notes = [(cell.state, cell.note) for cell in message.cells]
    assert notes == [
        ("got", "as from chad and with another text"),
        ("sender", ""),
        ("got", ""),
        ("outside", ""),
    ]
    assert message.odd
    assert not any(cell.note for cell in page_of("undelivered").messages[0].cells)


def test_who_could_not_be_started_is_not_ready():
    story = Story()
    story.op(0, "server", "invoke", "start", {}, op=1)
    story.op(5, "server", "fail", "start", {}, op=1, error={"code": "UNAVAILABLE", "reason": "SERVER"})
    page = compose(story.judged(RunStatus.UNKNOWN), story.ops, {})
    assert [mark.label for mark in page.diagram.marks] == ["start: UNAVAILABLE SERVER"]


def test_what_is_not_certain_says_when_it_would_be_wrong(page_of):
    first, other = page_of("unknown").findings
    assert first.sentence == "chad never got `hello`, which is wrong only if the send happened"
    assert other.sentence == "could not be judged: no audit was made"
    ended = Verdict(name="final", group="run", status=Status.UNKNOWN, reason="the final phase never began")
    page = compose(Story().begin().judged(RunStatus.UNKNOWN, ended), (), {})
    assert [finding.sentence for finding in page.findings] == ["the final phase never began"]


def test_what_a_process_wrote_before_it_died_stands_with_that(page_of):
    (died,) = page_of("server_died").findings
    assert died.log == (
        "  server (pid 4127, exit 1 at 1.231 s) — last lines",
        "    0.512 store  append #1",
        "    Traceback (most recent call last):",
        "    KeyError: 'chad'",
    )
    assert not any(finding.log for finding in page_of("undelivered").findings)


@pytest.mark.parametrize(("name", "played"), [("passes", True), ("skipped", False), ("not_ready", False)])
def test_a_page_knows_whether_there_is_anything_to_draw(page_of, name, played):
    assert page_of(name).played is played


def test_nothing_leaves_for_a_reader_before_he_has_asked_to_connect():
    story = Story()
    story.op(0, "server", "ok", "start", {"pid": 1})
    story.sent(50)
    story.op(100, "alice", "invoke", "connect", op=1)
    story.op(110, "alice", "ok", "deliver", story.message(sequence=1))
    story.op(130, "alice", "ok", "connect", op=1)
    row = story.judged(RunStatus.PASS)
    arrows = {arrow.kind: arrow for arrow in compose(row, story.ops, {}).diagram.arrows}
    assert arrows["connect"].begun_ns == 100 * MS
    assert arrows["connect"].ended_ns == arrows["deliver"].begun_ns == 105 * MS


def test_why_comes_before_what_the_script_asked_for():
    def violation(kind, message):
        return Violation(kind=kind, sentence=kind, messages=(message,))

    expected = [
        bad(f"inbox {name}", violation("inbox", name), group="expectation") for name in ("early", "late")
    ]
    lost = bad("no-loss", violation("lost", "late"), violation("undelivered", "other"))
    told = findings(Story().begin().judged(RunStatus.FAIL, *expected, lost))
    assert [(verdict.name, item.messages) for verdict, item in told] == [
        ("no-loss", ("late",)),  # the gravest, whatever the script says
        ("inbox early", ("early",)),
        ("inbox late", ("late",)),
        ("no-loss", ("other",)),
    ]
