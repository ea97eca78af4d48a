"""A workload with a nemesis, played for real: announced, played as planned, drained, healed, read by somebody new."""

import json
import xml.etree.ElementTree as ET

from harness.archive import read_plan

STORM = """
scenario: A short storm
clients:
  user: 4
  reader: {count: 2, receive: manual}
rooms: {lobby: [user-1..4, reader-1..2]}
seed: 5
workload: {rate: 60/s, for: 900ms, mix: {send: 70, poll: 20, disconnect: 5, connect: 5}}
nemesis:
  every: 200ms
  faults:
    - kill: server
      for: 5m
    - pause: reader-1
      for: 5m
"""


def test_from_the_seed_to_the_audit(chatsim, scenario):
    ran = chatsim("run", scenario(STORM), "--speed", "max")
    assert ran.code == 0, ran
    plan, history = read_plan(ran.row()), ran.history()

    # Said first and last, and to machines.
    assert ran.err.startswith("  made: seed 5: 54 acts of 6 clients in 900 ms, in lobby: ")
    assert "acts began within 100 ms of their moment" in ran.text
    assert ran.text.index("acts began") < ran.text.index("seed 5")
    suite = ET.parse(ran.folder / "junit.xml").getroot().find("testsuite")
    properties = [(found.get("name"), found.get("value")) for found in suite.iter("property")]
    assert ("seed", "5") in properties
    told = [value for name, value in properties if name == "nemesis"]
    assert told == [line.strip() for line in ran.err.splitlines() if line.startswith("    at ")]
    assert len(told) == len(plan.workload.faults) > 0
    told = json.loads((ran.folder / "report.json").read_text())["rows"][0]["workload"]
    assert told["planned"] == 54
    assert told["in_time"] + told["late"] + told["held_up"] + told["left_out"] == 54

    # Every act is on record, by what it began or by why it began nothing.
    done = {op["step"] for op in history if op.get("step", "").startswith("/workload/mix/")}
    assert done == {act.pointer for act in plan.workload.acts}
    assert all(op["value"].keys() == {"client", "verb", "reason"} for op in history if op["f"] == "skip")
    struck = [
        op["step"] for op in history if op["process"] == "nemesis" and op["type"] == "invoke" and "step" in op
    ]
    left = [op["step"] for op in history if op["f"] == "skip" and op["step"].startswith("/nemesis/")]
    assert struck + left == [fault.pointer for fault in plan.workload.faults]
    assert len(struck) == 2, "neither is over before the workload is"

    # Then: no more acts, what was under way ends, everything is healed, somebody new reads it all.
    def at(f, type_, process=None, which=-1):
        wanted = [op for op in history if (op["f"], op["type"]) == (f, type_)]
        return [op["index"] for op in wanted if process in (None, op["process"])][which]

    order = [
        at("workload", "ok"),
        at("final", "invoke"),
        at("drain", "ok", which=0),
        at("start", "ok", "nemesis"),
        at("spawn", "ok", "harness"),
        at("connect", "ok", "harness"),
        at("fence", "ok", which=0),
        at("history", "ok", "harness"),
        at("final", "ok"),
    ]
    assert order == sorted(order)
    spawned = [op["value"] for op in history if op["f"] == "spawn" and op["process"] == "harness"]
    assert [value["incarnation"] for value in spawned] == [1, 2]
