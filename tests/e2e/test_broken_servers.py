"""Each broken server is convicted of exactly what it declares; with its fault switched off it passes."""

import sys

import pytest

from tests.broken import GALLERY
from tests.e2e.conftest import ROOT

CASES = [
    pytest.param(broken, path, id=f"{broken.name}-{path}")
    for broken in GALLERY.values()
    for path in broken.paths()
]
SOUND = {path: broken for broken in GALLERY.values() for path in broken.paths()}
"""For each scenario one server: without their faults they are all the same."""


def server(broken, *options):
    return " ".join([sys.executable, "-m", "tests.broken", broken.name, *options, "--data {data}"])


@pytest.mark.parametrize(("broken", "path"), CASES)
def test_it_is_convicted_of_exactly_its_kinds(chatsim, broken, path):
    ran = chatsim("run", ROOT / path, "--speed", "max", "--server", server(broken))
    assert ran.code == 1, ran
    # The faults are those of the stream where a scenario is played both ways; by polling some cannot show.
    assert ran.kinds(next(row for row in ran.rows if not row.endswith("[poll]"))) == broken.kinds, ran


@pytest.mark.parametrize(("path", "broken"), SOUND.items(), ids=SOUND)
def test_without_its_fault_it_passes(chatsim, broken, path):
    ran = chatsim("run", ROOT / path, "--speed", "max", "--server", server(broken, "--sound"))
    assert ran.code == 0, ran


def test_no_two_kinds_have_the_same_witnesses():
    """Else a judge that took the one for the other would not be noticed."""
    kinds = set().union(*(broken.kinds for broken in GALLERY.values()))
    witnesses = {kind: frozenset(b.name for b in GALLERY.values() if kind in b.kinds) for kind in kinds}
    assert len(set(witnesses.values())) == len(witnesses)
