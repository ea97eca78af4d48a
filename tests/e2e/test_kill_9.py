"""kill -9 of chatsim leaves no process, no port and no temporary directory, whenever it comes."""

import json
import socket
import subprocess
import time

import psutil
import pytest

from harness.keeper.launch import RUN_VARIABLE
from tests.support import members, until

#: Long enough to be met anywhere: real pauses between the steps, listening at the end.
SCENARIO = """
scenario: Somebody pulls the plug
clients: [alice, bob, chad]
rooms: {lobby: [alice, bob, chad]}
listen: 1s
steps:
  - connect: alice
  - connect: bob
    after: 40ms
  - connect: chad
    after: 40ms
  - send: "line ${n}"
    from: alice
    id: line
    repeat: 20
    every: 20ms
  - expect: line.*
    received_by: [bob, chad]
inboxes:
  bob: [line.*]
  chad: [line.*]
"""


def keeper_of(chatsim):
    for child in psutil.Process(chatsim.pid).children():
        try:
            if run := child.environ().get(RUN_VARIABLE):
                return run
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return None


def recorded(folder):
    """Complete lines of the history so far."""
    files = list(folder.glob("*-*/*/history.jsonl"))
    return files[0].read_text().split("\n")[1:-1] if files else []


#: After how many operations on record the plug is pulled; 0: as soon as the keeper is there.
MOMENTS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 22, 28, 36, 46, 58, 72, 90, "final", "listen")


def reached(lines, moment):
    if isinstance(moment, int):
        return len(lines) >= moment
    return any(json.loads(line)["f"] == moment for line in lines)


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_two_seconds_later(chatsim, scenario, moment):
    with chatsim.start("run", scenario(SCENARIO), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        run = until(lambda: keeper_of(process), "the keeper", 10)
        until(lambda: reached(recorded(chatsim.reports), moment), f"moment {moment}", 20)
        # In this order: what is started between the two looks is alive and not yet on our list, never the reverse.
        lines = recorded(chatsim.reports)
        alive = members(run)
        process.kill()
        killed_at = time.monotonic()
        process.wait()
    ops = [json.loads(line) for line in lines]
    assert not any(op["f"] == "leftovers" for op in ops), "it was over before the plug was pulled"
    # Not the harness: in the final phase, a new process takes its place.
    started = [
        op["value"]["pid"]
        for op in ops
        if op["f"] in ("start", "spawn") and op["type"] == "ok" and op["process"] != "harness"
    ]
    assert {process.pid for process in alive} >= set(started), "server and clients were alive"
    until(lambda: not members(run), f"the end of {members(run)}", 2.0)
    until(lambda: not list(chatsim.scratch.iterdir()), "the removal of the temporary directory", 2.0)
    assert time.monotonic() - killed_at < 2.5
    for op in ops:
        if op["f"] == "start" and op["type"] == "ok":
            with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
                probe.connect((op["value"]["host"], op["value"]["port"]))
