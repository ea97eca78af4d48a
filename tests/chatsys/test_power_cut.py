"""A log that is cut off at every write and sync of its life, with and without what was not synced yet.

The shim (crash/powercut.c) ends the process at a boundary, and takes back what the disk was not told to keep; so
this tests a power cut, where kill -9 alone would leave everything that was written.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "crash"
COMPILER = shutil.which("cc") or "cc"
MODES = {"kill": 0, "drop": 1, "tear": 2}
LAST_GROUP = 5


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "powercut.so"
    compile_ = [
        COMPILER,
        "-shared",
        "-fPIC",
        "-O1",
        "-Wall",
        "-Werror",
        "-o",
        library,
        HERE / "powercut.c",
        "-ldl",
    ]
    subprocess.run(compile_, check=True)
    return library


def cut(shim, folder, mode, step, synchronous="FULL"):
    """Plays the history cut off at every boundary, or at each `step`th."""
    command = [sys.executable, HERE / "play.py", shim, folder, str(MODES[mode]), str(step), synchronous]
    environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(HERE.parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.needs("cc")
@pytest.mark.parametrize(("mode", "step"), [("kill", 4), ("drop", 1), ("tear", 3)])
def test_what_was_acknowledged_is_there_after_any_cut(shim, tmp_path, mode, step):
    cuts = cut(shim, tmp_path, mode, step)
    assert len(cuts) * step > 100, "a life has more boundaries than that"
    assert [each["cut"] for each in cuts] == [True] * (len(cuts) - 1) + [False], (
        "cut at each, until none is left"
    )
    for each in cuts:
        holds(each)


@pytest.mark.needs("cc")
def test_a_log_that_does_not_wait_for_the_disk_is_found_out(shim, tmp_path):
    cuts = cut(shim, tmp_path, "drop", 6, "NORMAL")
    lost = 0
    for each in cuts:
        try:
            holds(each)
        except AssertionError:
            lost += 1
    assert lost > 3


def holds(each):
    told, after, where = each["told"], each["after"], f"cut at boundary {each['boundary']}"
    assert after["faults"] == [], where
    groups = [line["group"] for line in told]
    reached = max(groups, default=-1)
    for line in told:
        assert line["epoch"] == after["epoch"], f"{where}: nothing was lost, so the epoch stays"
        for name, sequence in line["stored"].items():
            if sequence >= after["first"]:
                assert after["stored"].get(name) == sequence, f"{where}: {name} was acknowledged"
    sequences = sorted(after["stored"].values())
    assert len(sequences) == len(set(sequences)), where
    if reached >= 3:
        assert after["cursor"] == 12, f"{where}: the ack was acknowledged"
    if reached == LAST_GROUP:
        assert not after["bob"], f"{where}: the removal was acknowledged"
    # A group is there whole or not at all.
    assert after["head"] in (0, 1, 2, 30, 31, 32, 34), where
