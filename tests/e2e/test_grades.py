"""How absence is shown depends on what the server can say, and the report names it."""

import sys
from collections import Counter

import pytest

from gallery import GALLERY
from tests.e2e.conftest import ROOT
from tests.e2e.test_broken_servers import server

OUTSIDER = ROOT / "scenarios" / "outsider.yaml"


def without(*capabilities):
    return f"{sys.executable} -m harness.drivers.chatsys --without {','.join(capabilities)}"


def evidence(ran):
    total = Counter()
    for verdict in ran.verdicts()["verdicts"]:
        total.update(verdict["evidence"])
    return {how for how, number in total.items() if number}


@pytest.mark.parametrize(
    ("lacking", "grades"),
    [
        ((), {"by position"}),
        (("position",), {"by marker", "by window"}),  # the outsider is in no room that a marker could come by
        (("position", "order"), {"by window"}),
        (("history",), {"by position"}),
        (("ack",), {"by position"}),
    ],
    ids=lambda value: "+".join(sorted(value)) or "nothing",
)
def test_the_best_grade_is_used_and_named(chatsim, lacking, grades):
    driver = ("--driver", without(*lacking)) if lacking else ()
    ran = chatsim("run", OUTSIDER, "--speed", "max", *driver)
    assert ran.code == 0, ran
    assert evidence(ran) == grades
    for grade in grades:
        assert grade in ran.text
    if "position" in lacking:  # a check that the server cannot support is not applicable, and shown
        claims = next(v for v in ran.verdicts()["verdicts"] if v["name"] == "claims")
        assert claims["status"] == "not applicable"
        assert "claims (not applicable: the server has no capability `position`)" in ran.text


@pytest.mark.parametrize("lacking", [("position",), ("position", "history", "ack")])
def test_a_loss_is_found_by_markers_alone(chatsim, lacking):
    path = ROOT / "scenarios" / "latecomers.yaml"
    swallows = server(GALLERY["swallows"])
    ran = chatsim("run", path, "--speed", "max", "--driver", without(*lacking), "--server", swallows)
    assert ran.code == 1, ran
    assert "bob" in ran.text
    assert "line.3" in ran.text
    assert ran.kinds() & {"undelivered", "lost"}


def test_a_leak_is_found_by_listening_alone(chatsim):
    leaky = server(GALLERY["tells-outsiders-late"])
    ran = chatsim(
        "run", OUTSIDER, "--speed", "max", "--driver", without("position", "order"), "--server", leaky
    )
    assert ran.code == 1, ran
    assert ran.kinds() == {"leak"}
