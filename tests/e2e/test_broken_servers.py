"""Each broken server is convicted of exactly what it declares; with its fault switched off it passes."""

import sys

import pytest

from tests.broken import GALLERY
from tests.e2e.conftest import ROOT

CASES = [
    pytest.param(broken, scenario, id=f"{broken.name}-{scenario}")
    for broken in GALLERY.values()
    for scenario in broken.scenarios
]


def server(broken, *options):
    return " ".join([sys.executable, "-m", "tests.broken", broken.name, *options, "--data {data}"])


@pytest.mark.parametrize(("broken", "scenario"), CASES)
def test_it_is_convicted_of_exactly_its_kinds(chatsim, broken, scenario):
    path = ROOT / "scenarios" / f"{scenario}.yaml"
    ran = chatsim("run", path, "--speed", "max", "--server", server(broken))
    assert ran.code == 1, ran
    assert ran.kinds() == broken.kinds, ran


@pytest.mark.parametrize(("broken", "scenario"), CASES)
def test_without_its_fault_it_passes(chatsim, broken, scenario):
    path = ROOT / "scenarios" / f"{scenario}.yaml"
    ran = chatsim("run", path, "--speed", "max", "--server", server(broken, "--sound"))
    assert ran.code == 0, ran


def test_no_two_are_convicted_of_the_same():
    declared = [broken.kinds for broken in GALLERY.values()]
    assert len(set(declared)) == len(declared)
