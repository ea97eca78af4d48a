"""A server that lets in too many is convicted by `refused`, of exactly the one it let in; a sound one passes."""

import sys

import pytest

from gallery.gates import GATES
from tests.e2e.conftest import ROOT

SCENARIO = ROOT / "gallery/scenarios/tokens.yaml"


def server(broken, *options):
    return " ".join([sys.executable, "-m", "gallery.serve", broken.name, *options, "--data {data}"])


def refused(ran):
    return [
        violation["sentence"]
        for verdict in ran.verdicts()["verdicts"]
        for violation in verdict["violations"]
        if violation["kind"] == "refused"
    ]


@pytest.mark.parametrize(("who", "broken"), GATES.items(), ids=GATES)
def test_it_is_convicted_of_whom_it_let_in(chatsim, who, broken):
    ran = chatsim("run", SCENARIO, "--speed", "max", "--server", server(broken))
    assert ran.code == 1, ran
    (said,) = refused(ran)
    assert [name for name in GATES if name in said] == [who]


def test_a_sound_one_passes(chatsim):
    ran = chatsim("run", SCENARIO, "--speed", "max", "--server", server(GATES["late"], "--sound"))
    assert ran.code == 0, ran
