"""A read-only data directory, played by somebody whom permissions bind: as root, by root without that privilege."""

import os

import pytest

PLAY = """\
scenario: The data directory is read-only
clients: [alice, bob]
rooms: {{lobby: [alice, bob]}}
steps:
  - connect: [alice, bob]
  - read_only: server
    id: locked
  - send: what is open for writing stays so
    from: alice
    id: open
  - expect: open
    received_by: bob
{steps}
inboxes: {{bob: [open]}}
"""
HEALED = """\
  - heal: locked
"""
LOCKED_OUT = """\
  - restart: server
    within: 3s
"""


@pytest.fixture
def bound(chatsim):
    if os.geteuid() == 0:
        chatsim.before = ("setpriv", "--bounding-set=-dac_override", "--")
    return chatsim


def nemesis(ran, f):
    return [op for op in ran.history() if op["process"] == "nemesis" and op["f"] == f and op["type"] == "ok"]


@pytest.mark.needs("setpriv")
def test_it_holds_until_it_is_healed(bound, scenario):
    ran = bound("run", scenario(PLAY.format(steps=HEALED)), "--speed", "max")
    assert ran.code == 0, ran
    (begun,) = nemesis(ran, "read_only")
    (ended,) = nemesis(ran, "heal")
    assert begun["value"]["files"] == ended["value"]["files"] >= 2, "the directory and the log in it"


@pytest.mark.needs("setpriv")
def test_a_server_that_comes_back_to_it_cannot_open_its_log(bound, scenario):
    ran = bound("run", scenario(PLAY.format(steps=LOCKED_OUT)), "--speed", "max")
    assert ran.code == 1, ran
    assert nemesis(ran, "read_only")
    assert "cannot be used: Permission denied" in (ran.row() / "logs" / "server.log").read_text()
