"""What a diagram shows: who lived when, what went where, what was done to whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.model.history import Op
from harness.report.chart import Chart
from harness.report.lives import Band
from harness.report.receipts import merge
from tests.report.story import MS, Story


def chart_of(ops, clients=("alice", "bob", "chad", "doug"), unwanted=None, end_ns=7_000 * MS):
    chart = Chart(clients, unwanted or {})
    open_ops = {}
    for op in ops:
        begun = None
        if op.op is not None and op.type == "invoke":
            open_ops[op.op] = op
        elif op.op is not None:
            begun = open_ops.pop(op.op, None)
        chart.feed(merge(op, begun), begun, shown=True)
    return chart.diagram(end_ns)


def arrows(diagram, kind):
    return [
        (a.source, a.begun_ns / MS, a.target, a.ended_ns / MS, a.label, a.end)
        for a in diagram.arrows
        if a.kind == kind
    ]


def test_a_message_is_at_the_server_half_way_between_its_sending_and_the_first_sign_of_it():
    story = Story().begin()
    story.sent(512)  # answered at 514
    story.got(516, "alice")
    diagram = chart_of(story.ops)
    assert arrows(diagram, "send") == [("bob", 512, "server", 513, "hello", "arrived")]
    assert arrows(diagram, "answer") == [("server", 513, "bob", 514, "ok #1", "arrived")]
    assert arrows(diagram, "deliver") == [("server", 513, "alice", 516, "hello", "arrived")]


def test_a_delivery_before_the_answer_is_the_first_sign():
    story = Story().begin()
    story.op(500, "bob", "invoke", "send", story.message(), op=200)
    story.got(504, "alice")
    story.op(510, "bob", "ok", "send", story.message(sequence=1), op=200)
    diagram = chart_of(story.ops)
    assert arrows(diagram, "send") == [("bob", 500, "server", 502, "hello", "arrived")]
    assert arrows(diagram, "deliver") == [("server", 502, "alice", 504, "hello", "arrived")]


def test_a_message_that_waited_for_the_server_is_stored_after_its_return():
    story = Story().begin()
    story.op(500, "bob", "invoke", "send", story.message(), op=200)
    story.op(501, "server", "ok", "exit", {"pid": 4127, "code": None, "signal": 9, "asked": True})
    story.op(900, "server", "ok", "start", {"pid": 4128, "host": "h", "port": 1, "instance": "b"})
    story.op(910, "bob", "ok", "send", story.message(sequence=1), op=200)
    assert arrows(chart_of(story.ops), "send") == [("bob", 500, "server", 905, "hello", "arrived")]


def test_a_poll_that_waited_for_the_server_is_answered_after_its_return():
    story = Story().begin()
    story.sent(500)
    story.op(600, "server", "ok", "exit", {"pid": 4127, "code": None, "signal": 9, "asked": True})
    story.op(700, "chad", "invoke", "poll", {}, op=300)
    story.op(900, "server", "ok", "start", {"pid": 4128, "host": "h", "port": 1, "instance": "b"})
    story.op(910, "chad", "ok", "deliver", story.message(sequence=1, via=300))
    assert arrows(chart_of(story.ops), "deliver") == [("server", 900, "chad", 910, "hello", "arrived")]


def test_a_delivery_to_a_latecomer_leaves_when_he_comes():
    story = Story()
    story.sent(512)
    story.op(900, "chad", "ok", "spawn", {"pid": 1})
    story.op(901, "chad", "invoke", "connect", {}, op=77)
    story.op(905, "chad", "ok", "deliver", story.message(sequence=1, via=77))
    assert arrows(chart_of(story.ops), "deliver") == [("server", 903, "chad", 905, "hello", "arrived")]


def test_a_delivery_after_a_broken_connection_leaves_when_it_is_restored():
    story = Story().begin()
    story.op(300, "chad", "ok", "connection", {"state": "lost"})
    story.sent(512)
    story.op(800, "chad", "ok", "connection", {"state": "restored"})
    story.got(803, "chad")
    assert arrows(chart_of(story.ops), "deliver") == [("server", 800, "chad", 803, "hello", "arrived")]


def test_refused_and_unanswered_sends_do_not_arrive():
    for answer, end in (("fail PERMISSION_DENIED", "refused"), ("info UNAVAILABLE", "unknown")):
        story = Story().begin()
        story.sent(512, answer=answer)
        diagram = chart_of(story.ops)
        assert [arrow[-1] for arrow in arrows(diagram, "send")] == [end]
        assert not arrows(diagram, "answer")
        assert [mark.kind for mark in diagram.marks if mark.lane == "bob"] == [end]


def test_what_somebody_should_not_have_got_is_marked():
    story = Story().begin()
    story.sent(512)
    story.got(519, "doug")
    diagram = chart_of(story.ops, unwanted={"hello": frozenset({"doug"})})
    assert [(a[2], a[-1]) for a in arrows(diagram, "deliver")] == [("doug", "unwanted")]


def test_expectations_stand_in_the_lanes_that_they_are_about():
    for kind, mark in (("ok", "kept"), ("fail", "broken")):
        story = Story().begin()
        story.expected(2_520, kind)
        marks = [(m.lane, m.kind, m.time_ns / MS) for m in chart_of(story.ops).marks if m.kind == mark]
        assert marks == [(name, mark, 2_520) for name in ("alice", "chad", "bob", "doug")]


def test_an_expectation_is_broken_in_the_lanes_of_those_who_broke_it():
    story = Story().begin()
    asked = {"ids": ["hello"], "received_by": ["alice", "chad"], "not_by": ["bob", "doug"]}
    found = {"missing": [["chad", "hello"]], "seen": [["doug", "hello"]]}
    story.op(2_520, "script", "fail", "expect", {**asked, **found}, op=300)
    marks = {mark.lane: mark.kind for mark in chart_of(story.ops).marks if mark.time_ns == 2_520 * MS}
    assert marks == {"alice": "kept", "chad": "broken", "bob": "kept", "doug": "broken"}


def test_a_life_is_told_with_its_connections_and_its_end():
    story = Story().begin()
    story.op(300, "chad", "ok", "connection", {"state": "lost"})
    story.op(400, "chad", "ok", "connection", {"state": "restored"})
    story.end(6_690)
    lives = {life.process: life for life in chart_of(story.ops).lives}
    chad = lives["chad"]
    assert (chad.begun_ns / MS, chad.ended_ns / MS) == (92, 6_690.2)
    assert [(a / MS, b / MS) for a, b in chad.connected] == [(122, 300), (400, 6_690.2)]
    assert (chad.ending, chad.asked) == ("exit 0 as asked", True)
    assert list(lives) == ["server", "alice", "bob", "chad", "doug"]


def test_going_as_asked_is_no_event_but_being_killed_is():
    story = Story().begin()
    story.op(1_000, "nemesis", "invoke", "kill", {"targets": ["bob"], "id": "crash"}, op=500)
    story.op(1_001, "bob", "ok", "exit", {"pid": 4130, "code": None, "signal": 9, "asked": True})
    story.op(1_002, "nemesis", "ok", "kill", {"targets": ["bob"], "id": "crash"}, op=500)
    story.op(2_000, "nemesis", "invoke", "start", {"targets": ["bob"]}, op=501)
    story.op(2_050, "bob#2", "ok", "spawn", {"pid": 4_200, "incarnation": 2})
    story.op(2_100, "nemesis", "ok", "start", {"targets": ["bob"]}, op=501)
    story.op(6_000, "bob#2", "ok", "exit", {"pid": 4_200, "code": 0, "signal": None, "asked": True})
    diagram = chart_of(story.ops)
    assert [m.label for m in diagram.marks if m.kind == "life" and m.lane == "bob"] == [
        "killed by signal 9 as asked"
    ]
    assert diagram.bands == (Band("kill bob", ("bob",), 1_000 * MS, 2_100 * MS),)
    assert [(life.process, life.lane) for life in diagram.lives if life.lane == "bob"] == [
        ("bob", "bob"),
        ("bob#2", "bob"),
    ]


def test_a_fault_that_nobody_heals_lasts_to_the_end_and_resume_ends_a_pause_only():
    ops = [
        Op(0, 10, "nemesis", "invoke", "pause", {"targets": ["server", "alice"]}, 1),
        Op(1, 20, "nemesis", "ok", "pause", {}, 1),
        Op(2, 30, "nemesis", "invoke", "kill", {"targets": ["alice"]}, 2),
        Op(3, 40, "nemesis", "ok", "kill", {}, 2),
        Op(4, 50, "nemesis", "invoke", "resume", {"targets": ["server", "alice"]}, 3),
        Op(5, 60, "nemesis", "ok", "resume", {}, 3),
    ]
    bands = chart_of(ops, end_ns=100).bands
    assert bands == (
        Band("pause server, alice", ("server", "alice"), 10, 60),
        Band("kill alice", ("alice",), 30, 100),
    )


def test_a_fault_that_ends_itself_is_over_when_it_is_done_or_has_struck():
    told = {"targets": ["alice"], "id": "a"}
    other = {"targets": ["alice"], "id": "b"}
    ops = [
        Op(0, 10, "nemesis", "invoke", "lose", told, 1),
        Op(1, 11, "nemesis", "ok", "lose", told, 1),
        Op(2, 12, "nemesis", "invoke", "lose", other, 2),
        Op(3, 13, "nemesis", "ok", "lose", other, 2),
        Op(4, 20, "nemesis", "ok", "fired", {**told, "by": "alice", "of": "Poll"}),
        Op(5, 30, "nemesis", "invoke", "reset", {"targets": ["alice"], "id": "c"}, 3),
        Op(6, 35, "nemesis", "ok", "reset", {"targets": ["alice"], "id": "c"}, 3),
    ]
    bands = [(band.label, band.begun_ns, band.ended_ns) for band in chart_of(ops, end_ns=100).bands]
    assert bands == [("lose alice", 10, 20), ("lose alice", 12, 100), ("reset alice", 30, 35)]


PROCESSES = st.sampled_from(["alice", "bob#2", "server", "harness", "script", "nemesis", "fence", "nobody"])
FS = st.one_of(
    st.sampled_from(["start", "spawn", "exit", "connect", "disconnect", "connection", "poll"]),
    st.sampled_from(["send", "deliver", "ack", "fence", "expect", "kill", "restart", "resume", "heal"]),
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=5),
        "targets": st.one_of(st.text(max_size=4), st.lists(st.sampled_from(["alice", "server"]))),
        "state": st.sampled_from(["lost", "restored"]),
        "via": st.integers(0, 5),
        "acks": st.dictionaries(st.text(max_size=3), st.integers()),
    },
)
ROWS = st.lists(
    st.tuples(PROCESSES, st.sampled_from(["invoke", "ok", "fail", "info"]), FS, VALUES, st.integers(0, 5)),
    max_size=40,
)


@given(ROWS)
def test_whatever_happened_nothing_arrives_before_it_leaves(rows):
    ops = [Op(n, n * 10, p, kind, f, value, number) for n, (p, kind, f, value, number) in enumerate(rows)]
    diagram = chart_of(ops, clients=("alice", "bob"), end_ns=1_000)
    assert all(arrow.begun_ns <= arrow.ended_ns for arrow in diagram.arrows)
    assert all(life.begun_ns <= life.ended_ns for life in diagram.lives)
    assert all(band.begun_ns <= band.ended_ns for band in diagram.bands)
    assert {arrow.source for arrow in diagram.arrows} | {mark.lane for mark in diagram.marks} <= set(
        diagram.lanes
    )
