"""Faults and lanes in words, in the list of steps and in diagrams."""

from __future__ import annotations

import dataclasses

import pytest

from harness.model.actions import Wait
from harness.model.faults import Kill, Pause, Restart, Resume, Start
from harness.model.history import Op
from harness.model.steps import Lane, Parallel, Step
from harness.model.verdict import RunStatus
from harness.report.fold import Fold
from harness.report.sequence import draw
from harness.report.words import say_op, say_step

MS = 1_000_000


def step(action, pointer="/steps/0"):
    return Step(pointer=pointer, action=action, within_ns=1)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Kill(targets=("server", "bob"), id="x"), "kill server, bob"),
        (Kill(targets=("server",), id="x", for_ns=500 * MS), "kill server for 0.50 s"),
        (Pause(targets=("bob",), id="x"), "pause bob"),
        (Start(targets=("server",)), "start server"),
        (Restart(targets=("server",), id="x"), "restart server"),
        (Resume(targets=("bob",)), "resume bob"),
        (Wait(duration_ns=0, fault="crash"), "wait crash"),
        (Parallel(lanes=(Lane(name="talk", pointer="", steps=()), Lane(name="crash", pointer="", steps=()))),
         "parallel talk, crash"),
    ],
)  # fmt: skip
def test_steps(action, said):
    assert say_step(step(action)) == said


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("invoke", None, "kill server, bob"),
        ("ok", None, "kill server, bob: ok"),
        ("fail", {"code": "ABORTED", "reason": "NEMESIS"}, "kill server, bob: ABORTED NEMESIS"),
    ],
)  # fmt: skip
def test_acts_of_the_nemesis(kind, error, said):
    op = Op(0, 0, "nemesis", kind, "kill", {"targets": ["server", "bob"]}, 1, error=error)
    assert say_op(op) == said


def test_a_diagram_tells_a_fault_once_and_shows_what_it_did():
    ops = [
        Op(0, 0, "server", "ok", "start", {"pid": 1}),
        Op(1, 10 * MS, "nemesis", "invoke", "kill", {"targets": ["server"]}, 1),
        Op(2, 11 * MS, "server", "ok", "exit", {"code": None, "signal": 9, "asked": True}),
        Op(3, 12 * MS, "nemesis", "ok", "kill", {"targets": ["server"]}, 1),
        Op(4, 20 * MS, "nemesis", "invoke", "start", {"targets": ["server"]}, 2),
        Op(5, 30 * MS, "server", "ok", "start", {"pid": 2}),
        Op(6, 31 * MS, "nemesis", "ok", "start", {"targets": ["server"]}, 2),
        Op(7, 40 * MS, "bob", "ok", "deliver", {"id": "hello"}),
    ]
    lines = [" ".join(line.split()) for line in draw(ops, ["bob"])]
    assert len(lines) == 6
    assert [line for line in lines if "nemesis" in line] == [
        "0.010s ── nemesis: kill server ── │",
        "0.020s ── nemesis: start server ── ┊",
    ]
    assert "[killed -9]" in lines[2]
    assert "[ready]" in lines[4]


def test_heals_are_no_faults(story):
    made = story().begin()
    for op, verb in enumerate(("kill", "start", "pause", "resume"), start=50):
        made.op(300 + op, "nemesis", "invoke", verb, {"targets": ["server"]}, op=op)
    assert made.judged(RunStatus.PASS).faults == 2


def test_steps_of_lanes_name_their_lane(story):
    made = story()
    inner = step(Kill(targets=("server",), id="x"), "/steps/0/parallel/crash/0")
    lanes = Parallel(lanes=(Lane(name="crash", pointer="/steps/0/parallel/crash", steps=(inner,)),))
    plan = dataclasses.replace(made.plan, steps=(step(lanes),))
    assert [told.text for told in Fold(plan, ()).steps()] == ["parallel crash", "crash: kill server"]
