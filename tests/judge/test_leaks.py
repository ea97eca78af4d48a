"""What a server may hold when its clients have left, and from where on that is a leak."""

import pytest

from harness.judge import judge
from harness.model.history import Op
from harness.model.leaks import FEW_CONNECTIONS, FEW_TIMES
from tests.judge.plans import plan_of

PLAN = plan_of({"name": "case", "clients": ["alice"], "rooms": {"lobby": ["alice"]}})


def processes(*looks):
    ops = [Op(index, index, "harness", "ok", "holds", look) for index, look in enumerate(looks)]
    return next(verdict for verdict in judge(PLAN, ops).verdicts if verdict.name == "processes")


def look(when, gone=0, times=1, **more):
    return {"when": when, "gone": gone, "file": "/data/log", "times": times, **more}


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ({"gone": FEW_CONNECTIONS + 1}, "the server held 11 connections whose clients had gone"),
        ({"times": FEW_TIMES + 2}, "the server held /data/log open 66 times, and at first 1"),
    ],
)
def test_a_leak_fails_the_run(end, sentence):
    verdict = processes(look("ready"), look("end", **end))
    (found,) = verdict.violations
    assert (verdict.status, found.kind, found.sentence, found.ops) == ("fail", "leaked", sentence, (0, 1))


@pytest.mark.parametrize(
    "looks",
    [
        (look("ready"), look("end", gone=FEW_CONNECTIONS, times=FEW_TIMES + 1)),
        (look("ready", times=500), look("end", times=540)),
        (look("ready"), look("end", gone=900, times=900, tolerated=True)),
        (look("end", gone=900, times=900),),
        (look("ready"), {"when": "end", "gone": "many", "times": None}),
    ],
    ids=["few", "a pool from the start", "tolerated", "never ready", "nonsense"],
)
def test_what_may_be_sound_does_not(looks):
    assert not processes(*looks).violations
