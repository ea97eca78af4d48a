"""Playing against servers that are not chatsys: the real command, as a user would type it."""

import json
import shlex
import sys

import pytest

from harness.source import load
from tests.e2e.conftest import ROOT as ROOT  # noqa: PLC0414 - for the tests beside this
from tests.e2e.conftest import Chatsim
from tests.support import NIGHTLY, shipped

EXAMPLES = ROOT / "examples"
#: For a command that plays every scenario, on a machine that does much else: only a hang takes as long.
PATIENCE_S = 300
#: Scenarios with so many clients, or so much traffic, that they tell of the machine and nothing of a driver.
CROWDED = ("two_talkers", "storm", "restart_loop", "kick_and_rejoin_under_load")


def played(*left_out):
    """The scenarios that ship, but these: every second one, and in the nightly all."""
    found = shipped(without=CROWDED)[:: 1 if NIGHTLY else 2]
    return [path for path in found if path.stem not in left_out]


def python(*words):
    """The command line of a Python program, quoted for `--server` and `--driver`."""
    return shlex.join([sys.executable, *map(str, words)])


def endings(ran):
    """Row -> (status, reason) of every row that was played or skipped."""
    found = {}
    for path in ran.folder.glob("*/env.json"):
        env = json.loads(path.read_text())
        verdicts = path.parent / "verdicts.json"
        judged = json.loads(verdicts.read_text()) if verdicts.is_file() else {"status": "", "reason": ""}
        found[path.parent.name] = (
            env.get("status") or judged["status"],
            env.get("reason") or judged["reason"],
        )
    return found


def skips(ran):
    return {row: reason for row, (status, reason) in endings(ran).items() if status == "skipped"}


def due(skips, paths):
    """Those of the skips that are due when these scenarios are played."""
    rows = {plan.name for path in paths for plan in load([str(path)]).plans}
    return {row: reason for row, reason in skips.items() if row in rows}


def grades(ran, row):
    """How absence was shown in a row."""
    verdicts = json.loads((ran.folder / row / "verdicts.json").read_text())["verdicts"]
    return {how for verdict in verdicts for how, number in verdict["evidence"].items() if number}


@pytest.fixture
def chatsim(tmp_path):
    runner = Chatsim(tmp_path)
    yield runner
    assert not list(runner.scratch.iterdir()), "a temporary directory was left behind"


@pytest.fixture
def scenario(tmp_path):
    """Write a scenario file and return its path."""

    def write(text, name="made.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
