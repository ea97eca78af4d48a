"""`matrix` and variables: what the rows are, what is filled in where, and where faults are placed."""

from __future__ import annotations

import pytest

from harness.model.actions import Poll, Send
from harness.source import compile_plans

BASE = """scenario: x ${how}
matrix:
  how: [poll, stream]
  times: [2, 3]
receive: "${how}"
clients: {alice: {}, user: "${times}"}
rooms: {lobby: [alice, "user-1..${times}"]}
steps:
  - connect: [alice, "user-1..${times}"]
  - send: "${how} ${n} of ${times}, ${env.GREETING:-hello ${there}"
    from: alice
    id: line
    repeat: "${times}"
    every: "${times}0ms"
"""


def rows(text, **environ):
    plans, found = compile_plans(text, "x.yaml", "x", environ=environ)
    assert plans, found
    return plans


def test_one_plan_a_row_with_everything_filled_in():
    plans = rows(BASE.replace(" ${there}", "}"))
    assert [plan.name for plan in plans] == ["x[poll,2]", "x[poll,3]", "x[stream,2]", "x[stream,3]"]
    assert [plan.title for plan in plans] == ["x poll", "x poll", "x stream", "x stream"]
    last = plans[-1]
    assert [client.name for client in last.clients] == ["alice", "user-1", "user-2", "user-3"]
    assert {client.receive for client in last.clients} == {"stream"}
    ((_, send),) = last.sends()
    assert isinstance(send, Send)
    assert (send.repeat, send.every_ns) == (3, 30_000_000)
    assert next(text for _, _, text in send.messages()) == "stream 1 of 3, hello"
    assert last.source == BASE.replace(" ${there}", "}"), "the file stays as it was written"


def test_places_are_those_of_what_was_written():
    plan = rows(BASE.replace(" ${there}", "}"))[-1]
    assert plan.spans["/steps/0/connect/1"][:2] == (9, 22)
    assert plan.spans["/steps/0/connect/3"] == plan.spans["/steps/0/connect/1"]
    assert plan.spans["/steps/1/repeat"] == (13, 13, 10)


def test_the_environment_stands_above_the_default():
    text = "scenario: x\nclients: [a]\nsteps:\n  - connect: ${env.WHO:-b}\n    within: ${env.LONG:-}1s\n"
    assert rows(text, WHO="a")[0].steps[0].action.who == ("a",)
    plans, found = compile_plans(text, "x.yaml", "x", environ={})
    assert not plans
    assert [item.message for item in found] == ["no client is called `b`"]


def test_truth_values_and_numbers_of_a_matrix():
    text = "scenario: x\nmatrix: {own: [true, false]}\nclients: {a: {include_own: '${own}'}}\nsteps: [{connect: a}]\n"
    assert [plan.clients[0].include_own for plan in rows(text)] == [True, False]
    assert [plan.name for plan in rows(text)] == ["x[true]", "x[false]"]


def test_a_fault_of_every_row_is_said_once():
    text = (
        "scenario: x\nmatrix: {who: [a, b]}\nclients: [a, b]\nsteps:\n  - connect: '${who}'\n  - connect: c\n"
    )
    _, found = compile_plans(text, "x.yaml", "x")
    assert [(item.line, item.message, item.help) for item in found] == [
        (6, "no client is called `c`", ("clients: a, b",))
    ]


READING = """scenario: x
clients: {alice: {}, bob: {receive: manual}}
rooms: {lobby: [alice], den: {members: [alice], entry: open, history: %s}}
steps:
  - connect: [alice, bob]
  - {send: one, from: alice, to: den, id: one}
  - {join: bob, room: den}
  - {send: two, from: alice, to: den, id: two}
%s
"""


@pytest.mark.parametrize(
    ("history", "steps"),
    [
        ("whole_room", "  - {poll: bob, gets: [one, two]}\n  - {poll: bob, gets: []}"),
        ("since_join", "  - {poll: bob, gets: two}"),
        ("since_join", "  - {poll: bob}\n  - {leave: bob, room: den}\ninboxes: {bob: [two]}"),
        ("since_join", "  - {leave: bob, room: den}\ninboxes: {bob: []}"),
        ("whole_room", "  - {leave: bob, room: den}\n  - {join: bob, room: den}\ninboxes: {bob: [one, two]}"),
    ],
)
def test_true_statements_about_who_comes_and_goes_draw_no_warning(history, steps):
    plans, found = compile_plans(READING % (history, steps), "x.yaml", "x")
    assert plans
    assert [item.message for item in found if item.code != "unused"] == []


@pytest.mark.parametrize(
    ("history", "steps", "message"),
    [
        ("whole_room", "  - {poll: bob, gets: two}", "this poll brings `one` too"),
        ("since_join", "  - {poll: bob, gets: [one, two]}", "bob cannot see `one` in den at this step"),
        (
            "since_join",
            "  - {leave: bob, room: den}\ninboxes: {bob: [two]}",
            "bob was not in den when `two` could come",
        ),
        (
            "since_join",
            "inboxes: {bob: [one, two]}",
            "bob was not in den when `one` could come",
        ),
        (
            "whole_room",
            "inboxes: {bob: [one]}",
            "bob is in den and will receive `two`, which is missing here",
        ),
    ],
)
def test_false_ones_do(history, steps, message):
    plans, found = compile_plans(READING % (history, steps), "x.yaml", "x")
    assert plans
    assert [item.message for item in found if item.code == "never-true"] == [message]


def test_gets_is_nothing_exactly_or_unsaid():
    text = READING % ("since_join", "  - {poll: bob, gets: []}\n  - {poll: bob}")
    plan = compile_plans(
        text.replace("- {send: two", "- {send: no, from: bob, to: den}\n  - {send: two"), "x", "x"
    )
    actions = [step.action for step in plan[0][0].steps if isinstance(step.action, Poll)]
    assert [action.gets for action in actions] == [(), None]
