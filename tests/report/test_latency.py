"""How long deliveries took: from the latest of what they had to wait for."""

import dataclasses

import pytest

from harness.judge import judge
from harness.model.history import Op
from harness.model.latency import Latency, Stopwatch, told
from harness.model.verdict import RunStatus
from harness.report.terminal import latency_line
from harness.source import compile_plan

MS = 1_000_000
TEXT = """
scenario: Limits
clients: {alice: {}, bob: {}, slow: {handles: 5/s}}
rooms: {lobby: [alice, bob, slow]}
limits: {delivery_p50: 5ms, delivery_p99: 50ms}
steps:
  - connect: [alice, bob, slow]
"""


def plan_of(text=TEXT):
    plan, found = compile_plan(text, "x.yaml", "x")
    assert plan is not None, found
    return plan


class Story:
    """A history whose lines have the time of the drivers, which began to count long before the recorder did."""

    def __init__(self):
        self.ops: list[Op] = []

    def say(self, ms, process, type_, f, *, own_clock=True, **value):
        t = 7_000 * MS + int(ms * MS) if own_clock else None
        op = None if f in ("deliver", "connection", "fired") else len(self.ops)
        self.ops.append(Op(len(self.ops), int(ms * MS), process, type_, f, value, op, None, t))

    def sent(self, ms, name="hi"):
        self.say(ms, "alice", "ok", "send", room="lobby", client_message_id=name, sender="alice")

    def got(self, ms, name="hi", who="bob"):
        self.say(ms, who, "ok", "deliver", room="lobby", client_message_id=name, sender="alice")

    def figures(self, plan=None):
        watch = Stopwatch(plan or plan_of())
        for op in self.ops:
            watch.feed(op)
        return watch.result()


@pytest.fixture
def story():
    made = Story()
    for name in ("alice", "bob", "slow"):
        made.say(0, name, "ok", "connect")
    return made


def test_from_the_answer_of_the_send(story):
    story.sent(10)
    story.got(13)
    same = dict.fromkeys(("delivery_p50", "delivery_p90", "delivery_p99"), 3 * MS)
    assert story.figures() == Latency(1, same, 3 * MS)


def test_what_comes_before_the_answer_took_no_time(story):
    story.got(8)
    story.sent(10)
    assert story.figures().longest == 0
    assert story.figures().deliveries == 1


def test_from_the_moment_in_which_the_receiver_is_ready(story):
    story.sent(10)
    story.say(100, "bob", "invoke", "connect")
    story.got(104)  # while it connects
    story.say(105, "bob", "ok", "connect")
    story.sent(106, "more")
    story.say(107, "bob", "ok", "connection", state="lost")
    story.say(200, "bob", "ok", "connection", state="restored")
    story.got(202, "more")
    assert story.figures().longest == 2 * MS


def test_from_the_end_of_a_fault_that_touches_the_receiver_or_the_server(story):
    story.say(1, "nemesis", "invoke", "cut", own_clock=False, targets=["bob"])
    story.sent(10)
    story.got(11, who="alice")  # whom it does not touch
    story.say(300, "nemesis", "ok", "heal", own_clock=False, targets=["bob"])
    story.got(304)
    assert story.figures().longest == 4 * MS


def test_what_comes_during_a_fault_is_not_counted(story):
    story.say(1, "nemesis", "invoke", "slow", own_clock=False, targets=["server"])
    story.sent(10)
    story.got(500)
    assert story.figures().deliveries == 0


def test_nor_is_what_comes_again_or_was_never_answered_or_goes_to_the_slow(story):
    story.sent(10)
    story.got(11)
    story.got(900)
    story.got(900, who="slow")
    story.got(900, "never answered")
    assert story.figures().longest == MS


def test_from_the_moment_in_which_somebody_came_into_the_room(story):
    story.sent(10)
    story.say(50, "alice", "ok", "add", room="lobby", user="bob")
    story.got(51)
    assert story.figures().longest == MS


def test_a_figure_is_one_that_was_measured(story):
    for number in range(1, 101):
        story.sent(number * 100, f"m{number}")
        story.got(number * 100 + number, f"m{number}")
    assert story.figures().figures == {
        "delivery_p50": 50 * MS,
        "delivery_p90": 90 * MS,
        "delivery_p99": 99 * MS,
    }


def test_limits_decide_only_when_they_are_to(story):
    story.sent(10)
    story.got(80)
    verdicts = {}
    for decide in (False, True):
        judgement = judge(dataclasses.replace(plan_of(), limits_decide=decide), story.ops)
        verdicts[decide] = {verdict.name: verdict for verdict in judgement.verdicts}
    assert "limits" not in verdicts[False]
    assert judgement.status is RunStatus.FAIL
    first, second = verdicts[True]["limits"].violations
    assert first.sentence.startswith("delivery_p50 was 70 ms, and may be 5 ms: 1 deliver")
    assert second.pointers == ("/limits/delivery_p99",)


def test_limits_that_nothing_was_measured_against_leave_the_run_unknown(story):
    judgement = judge(dataclasses.replace(plan_of(), limits_decide=True), story.ops)
    (verdict,) = (each for each in judgement.verdicts if each.name == "limits")
    assert verdict.reason == "no delivery could be timed"


def test_the_line_of_the_terminal():
    found = Latency(
        1_096, {"delivery_p50": 312_000, "delivery_p90": 2_100_000, "delivery_p99": 61 * MS}, 70 * MS
    )
    assert latency_line(found, {"delivery_p50": 5 * MS, "delivery_p99": 50 * MS}) == (
        "1,096 deliveries: p50 0.312 ms of 5 ms · p90 2.1 ms · p99 61 ms, beyond 50 ms"
    )
    assert latency_line(Latency(0, {}, 0), {}) == "no delivery could be timed"
    assert told(1_240 * MS) == "1.24 s"


def test_a_file_that_says_it_wrong():
    wrong = TEXT.replace("{delivery_p50: 5ms, delivery_p99: 50ms}", "{delivery_p95: 5ms, delivery_p99: 50}")
    plan, found = compile_plan(wrong, "x.yaml", "x")
    assert plan is None
    assert [(item.code, item.label) for item in found if item.severity == "error"] == [
        ("unknown-key", "did you mean `delivery_p99`?"),
        ("bad-duration", ""),
    ]
