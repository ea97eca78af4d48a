"""One pass over a history makes the report of a row."""

from __future__ import annotations

import dataclasses

import pytest

from harness.model.cast import Room
from harness.model.history import Op
from harness.model.verdict import Judgement, RunStatus, Status, Verdict, Violation
from harness.report.fold import TRACED
from harness.report.look import Look
from harness.report.model import Invocation, build
from harness.report.terminal import verdict_line
from tests.report.story import a_plan


def states(row, message="hello"):
    return {receipt.client: receipt.state for receipt in row.messages[message].receipts}


def about_hello(**more):
    violation = Violation(kind="undelivered", sentence="…", messages=("hello",), **more)
    return Verdict(name="no-loss", group="invariant", status=Status.FAIL, violations=(violation,))


def test_who_got_what(tell):
    assert states(tell("undelivered")) == {
        "alice": "got",
        "bob": "sender",
        "chad": "never",
        "doug": "outside",
    }
    assert states(tell("leak"))["doug"] == "leak"
    assert states(tell("echo"))["bob"] == "echo"
    assert [r.times for r in tell("echo").messages["hello"].receipts] == [1, 2, 1, 0]


def test_a_message_that_was_never_sent_has_receipts_too(story):
    row = story().begin().judged(RunStatus.FAIL, about_hello())
    message = row.messages["hello"]
    assert (message.sent_ns, message.answer, message.sender) == (None, "", "bob")
    assert states(row)["alice"] == "never"


def test_membership_is_that_of_the_moment(story):
    made = story().begin()
    made.op(400, "chad", "ok", "leave", {"room": "lobby"})
    made.op(401, "alice", "ok", "add", {"room": "lobby", "user": "doug"})
    made.sent()
    row = made.judged(RunStatus.FAIL, about_hello())
    assert states(row) == {"alice": "never", "bob": "sender", "chad": "outside", "doug": "never"}


def test_who_was_no_member_then_is_told_from_a_stranger(story):
    made = story().begin()
    made.op(400, "alice", "ok", "kick", {"room": "lobby", "user": "chad"}, step=1)
    made.sent()
    made.op(600, "alice", "ok", "add", {"room": "lobby", "user": "doug"}, step=2)
    row = made.judged(RunStatus.FAIL, about_hello())
    notes = {receipt.client: receipt.note for receipt in row.messages["hello"].receipts}
    assert notes == {
        "alice": "",
        "bob": "",
        "chad": "kicked, line 9",
        "doug": "not yet: added line 12, history since_join",
    }


def test_who_joins_later_may_see_the_past_of_some_rooms(story):
    members = ("alice", "bob")
    for lobby, state in (
        (Room(name="lobby", members=members, history="whole_room"), "got"),
        (Room(name="lobby", members=members, history="since_join"), "leak"),
    ):
        made = story(rooms=(lobby,)).begin()
        made.sent()
        made.op(600, "doug", "ok", "join", {"room": "lobby"})
        made.got(700, "doug")
        assert states(made.judged(RunStatus.FAIL, about_hello()))["doug"] == state


@pytest.mark.parametrize(("answer", "state"), [("info", "got"), ("fail NOT_FOUND", "leak"), ("ok", "leak")])
def test_who_joins_while_nobody_knows_whether_it_is_stored_may_get_it(story, answer, state):
    made = story().begin()
    made.sent(answer=answer)
    made.op(600, "alice", "ok", "add", {"room": "lobby", "user": "doug", "sequence": 7})
    made.sent(900)
    made.got(950, "doug")
    assert states(made.judged(RunStatus.FAIL, about_hello()))["doug"] == state


def test_who_joined_at_an_earlier_place_is_no_stranger_whoever_was_answered_first(story):
    made = story().begin()
    made.sent()
    made.op(600, "alice", "ok", "add", {"room": "lobby", "user": "doug", "sequence": 0})
    made.got(700, "doug")
    assert states(made.judged(RunStatus.FAIL, about_hello()))["doug"] == "got"


def test_answers_of_a_send(story):
    for answer, told in (("ok", "ok"), ("fail NOT_FOUND", "NOT_FOUND NOT_A_MEMBER"), ("info", "no answer")):
        made = story().begin()
        made.sent(answer=answer)
        message = made.judged(RunStatus.FAIL, about_hello()).messages["hello"]
        assert (message.answer, message.sent_ns, message.answered_ns) == (told, 512_000_000, 514_000_000)


def test_steps_have_times_and_ends(tell):
    row = tell("undelivered")
    assert [(step.status, step.line) for step in row.steps] == [
        ("done", 8),
        ("done", 9),
        ("not fulfilled", 12),
        ("not reached", 16),
    ]
    assert row.steps[2].duration_ns == 2_000_000_000
    failed = tell("refused").steps[1]
    assert failed.status == "failed"


def test_a_step_whose_send_nobody_answered_is_not_done(story):
    made = story().begin()
    made.sent(answer="info UNAVAILABLE")
    step = made.judged(RunStatus.UNKNOWN).steps[1]
    assert (step.status, step.reason) == ("unanswered", "1 of 1 unanswered")


def test_what_is_under_way_when_the_record_ends_is_not_done(story):
    made = story().begin()
    made.sent()
    made.op(520, "script", "invoke", "expect", {"ids": ["hello"]}, op=300, step=2)
    steps = made.report(None).steps
    assert [step.status for step in steps] == ["done", "done", "unfinished", "not reached"]
    assert (steps[2].start_ns, steps[2].end_ns, steps[2].duration_ns) == (520_000_000, None, 0)


@pytest.mark.parametrize(
    ("sent", "answer", "ended"),
    [
        (2, "ok", ("unfinished", "2 of 3 sent")),
        (2, "info UNAVAILABLE", ("unfinished", "2 of 3 sent, 2 unanswered")),
        (3, "ok", ("done", "")),
    ],
)
def test_a_series_is_done_when_all_of_it_was_sent(story, sent, answer, ended):
    plan = a_plan()
    [(_, single)] = plan.sends()
    send = dataclasses.replace(single, repeat=3)
    steps = (plan.steps[0], dataclasses.replace(plan.steps[1], action=send), *plan.steps[2:])
    made = story(steps=steps).begin()
    for number in range(sent):
        made.sent(512 + 10 * number, answer=answer)
    step = made.report(None).steps[1]
    assert (step.status, step.reason) == ended


def test_a_refused_step_says_what_should_have_been(tell):
    failed = tell("refused").steps[1]
    assert "should have been refused" in failed.reason


def test_counts(tell):
    row = tell("undelivered")
    assert (row.messages_sent, row.checks, row.checks_passed, row.faults) == (1, 4, 1, 0)
    assert (row.duration_ns, row.scripted_waiting_ns, row.seed) == (6_700_000_000, 5_000_000_000, 20261122)


def test_scripted_waiting_is_left_out_at_full_speed(story):
    for speed, waited, told in (
        (1.0, 5_000_000_000, "5.0 s of scripted waiting"),
        (10.0, 500_000_000, "0.50 s of scripted waiting"),
        ("max", 0, "5.0 s of scripted waiting left out"),
    ):
        made = story()
        made.env["speed"] = speed
        row = made.judged(RunStatus.PASS)
        assert row.waited_ns == waited
        assert verdict_line(Invocation(rows=(row,)), Look(width=120)).endswith(f" · {told}")


def test_processes_and_their_ends(tell):
    row = tell("server_died")
    server = row.process("server")
    assert server is not None
    assert (server.pid, server.end["code"], server.lines[-1]) == (4127, 1, "KeyError: 'chad'")


def test_a_later_incarnation_is_the_process(story):
    made = story().begin()
    made.op(900, "bob", "ok", "exit", {"pid": 4130, "code": None, "signal": 9, "asked": True})
    made.op(950, "bob#2", "ok", "spawn", {"pid": 5000, "incarnation": 2})
    process = made.judged(RunStatus.PASS).process("bob")
    assert (process.name, process.pid, process.end) == ("bob#2", 5000, None)


def test_faults_are_counted_and_markers_are_not_messages(story):
    made = story().begin()
    made.op(300, "nemesis", "invoke", "kill", {"target": "server"}, op=50)
    made.op(301, "nemesis", "ok", "kill", {"target": "server"}, op=50)
    made.op(302, "fence", "invoke", "send", {"room": "lobby", "client_message_id": "m"}, op=51)
    row = made.judged(RunStatus.PASS)
    assert (row.faults, row.messages_sent) == (1, 0)


def test_nothing_is_kept_of_a_run_without_violations(tell):
    row = tell("passes")
    assert not row.trace
    assert not row.messages


def test_proof_is_kept_however_long_the_history(story):
    made = story().begin()
    for n in range(TRACED + 100):
        made.got(600 + n, "alice")
    last = made.got(90_000, "chad")
    row = made.judged(RunStatus.FAIL, about_hello(ops=(last,)))
    assert last in row.trace
    assert len(row.trace) == TRACED + 1


def test_a_row_without_record_or_verdict_is_an_error(story):
    row = build(story().plan, iter(()), None, {}, {})
    assert row.status is RunStatus.ERROR
    assert row.error is not None
    assert row.error.sentence == "the run left no verdicts and no reason"


def test_odd_operations_do_no_harm(story):
    ops = [
        Op(0, 0, "bob", "ok", "send", {}, op=7),
        Op(1, 1, "x", "info", "deliver", {}),
        Op(2, 2, "", "fail", "exit", {}),
    ]
    judgement = Judgement(status=RunStatus.FAIL, verdicts=(about_hello(ops=(0, 1, 2, 99)),))
    assert build(story().plan, ops, judgement, {}, {}).messages["hello"].sent_ns is None


def test_places_fall_back_on_what_is_around_them(tell):
    row = tell("passes")
    assert row.span("/steps/2/within").line == 12
    assert row.span("/nowhere") is None
