"""What is left to chance is drawn from the seed alone: the same seed, the same plan."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.actions import Add, Connect, Disconnect, Join, Kick, Leave, Poll, Send
from harness.model.faults import SERVER, Kill, Pause, Restart
from harness.model.plan import Plan
from harness.model.workload import Workload, actor
from harness.source import compile_plan, explain
from harness.source.dice import Dice
from harness.source.traffic import TRAFFIC

S = 1_000_000_000
ROOT = Path(__file__).parents[2]
STORM = """
scenario: Everything at once
clients:
  boss: {acks: manual}
  user: 5
  reader: {count: 4, receive: manual}
  stranger: {}
rooms:
  red: {members: [boss, user-1..5], admins: [boss]}
  blue: {members: [user-4..5, reader-1..4], entry: open}
workload:
  rate: 50/s
  for: 4s
  clients: [boss, user-1..5, reader-1..4]
  mix: {send: 20, poll: 5, ack: 2, disconnect: 3, connect: 3, join: 1, leave: 2, kick: 2, add: 2}
nemesis:
  every: 200ms
  faults:
    - kill: server
      for: 100ms
    - pause: {any: 3}
      for: 1s
    - restart: user-1
"""


def drawn(seed: int, text: str = STORM) -> Plan:
    plan, found = compile_plan(text, "storm.yaml", "storm", seed=seed)
    assert plan is not None, found
    return plan


def workload(seed: int, text: str = STORM) -> Workload:
    made = drawn(seed, text).workload
    assert made is not None
    return made


def test_the_same_seed_makes_the_same_plan_in_any_process():
    code = (
        "import json, sys; from harness.source import compile_plan;"
        "plan, _ = compile_plan(sys.stdin.read(), 'storm.yaml', 'storm', seed=7);"
        "print(json.dumps(plan.to_json()))"
    )
    # Another process orders sets otherwise.
    other = subprocess.run(
        [sys.executable, "-c", code],
        input=STORM,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "4", "PYTHONPATH": str(ROOT)},
    )
    assert json.loads(other.stdout) == json.loads(json.dumps(drawn(7).to_json()))
    assert Plan.from_json(json.loads(other.stdout)) == drawn(7)


def test_another_seed_makes_another_plan_and_says_so_in_its_screenplay():
    assert workload(7).acts != workload(8).acts
    assert workload(7).faults != workload(8).faults
    assert explain(drawn(7)) != explain(drawn(8))
    assert explain(drawn(7)) == explain(drawn(7))


def test_faults_do_not_change_the_traffic():
    calm = STORM.partition("nemesis:")[0]
    assert workload(7, calm).acts == workload(7).acts
    assert workload(7, calm).faults == ()


def test_a_seed_means_the_same_on_every_python():
    dice = Dice(7, "workload")
    assert [dice.pick("abcdefgh") for _ in range(8)] == list("gghffacd")
    assert dice.sample(range(10), 4) == [5, 6, 0, 4]


def test_weights_are_proportions():
    dice = Dice(1, "weights")
    found = Counter(dice.weighted({"often": 70, "never": 0, "seldom": 30}) for _ in range(10_000))
    assert found.keys() == {"often", "seldom"}
    assert 6_700 < found["often"] < 7_300


def test_each_act_has_its_slot_and_a_pointer_of_its_own():
    made = workload(3)
    assert len(made.acts) == 200
    for number, act in enumerate(made.acts):
        assert act.at_ns is not None
        assert number * S // 50 <= act.at_ns <= (number + 1) * S // 50
        assert act.pointer == f"/workload/mix/{act.action.verb}/{number + 1}"
    assert drawn(3).line("/workload/mix/send/1") == STORM[: STORM.index("  mix:")].count("\n") + 1
    counted = workload(3, STORM.replace("for: 4s", "count: 30", 1))
    assert (len(counted.acts), counted.duration_ns) == (30, 30 * S // 50)


def test_what_a_workload_sends_has_ids_that_no_author_can_give():
    ids = [
        id_ for act in workload(3).acts if isinstance(act.action, Send) for _, id_, _ in act.action.messages()
    ]
    assert ids == [f"@w{number}" for number in range(1, len(ids) + 1)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_everybody_is_asked_only_for_what_he_can_do(seed):
    plan = drawn(seed)
    assert plan.workload is not None
    online = {client.name for client in plan.clients} - {"stranger"}
    members = {room.name: set(room.members) for room in plan.rooms}
    assert plan.workload.mix().keys() <= TRAFFIC.keys()
    for act in plan.workload.acts:
        who = actor(act)
        assert (who in online) == (not isinstance(act.action, Connect))
        match act.action:
            case Send(room=room):
                assert who in members[room]
            case Poll():
                assert plan.client(who).receive == "manual"
            case Connect():
                online.add(who)
            case Disconnect():
                online.remove(who)
            case Join(room=room):
                assert who not in members[room]
                assert room == "blue"
                members[room].add(who)
            case Leave(room=room):
                members[room].remove(who)
            case Kick(users=(user,), room=room):
                assert who == "boss"
                members[room].remove(user)
            case Add(users=(user,), room=room):
                assert who == "boss"
                assert user not in members[room]
                members[room].add(user)
    assert "boss" in members["red"]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_every_fault_comes_once_before_any_comes_again(seed):
    made = workload(seed)
    assert len(made.faults) >= 12
    moments = [0, *(fault.at_ns or 0 for fault in made.faults)]
    assert moments[-1] < made.duration_ns
    # A pause that would have hit nobody new is left out, so pauses between faults may be longer.
    assert all(later - before >= 100_000_000 for before, later in itertools.pairwise(moments))
    assert {fault.action.verb for fault in made.faults[:3]} == {"kill", "pause", "restart"}
    ids = [getattr(fault.action, "id", None) for fault in made.faults]
    assert ids == [f"@n{number}" for number in range(1, len(ids) + 1)]
    for fault in made.faults:
        match fault.action:
            case Kill():
                assert (fault.action.targets, fault.action.for_ns) == ((SERVER,), S // 10)
            case Pause():
                assert 1 <= len(set(fault.action.targets)) == len(fault.action.targets) <= 3
                assert "stranger" not in fault.action.targets
            case Restart():
                assert fault.action.targets == ("user-1",)


@pytest.mark.parametrize(
    ("changed", "moves"), [(STORM, True), (STORM.replace("kill: server", "pause: server"), False)]
)
def test_a_nemesis_that_ends_the_server_makes_it_come_back_anywhere(changed, moves):
    assert drawn(1, changed).moves_server == moves


def test_a_script_beside_a_workload_finds_everybody_online():
    text = STORM.partition("workload:")[0] + (
        "workload: {rate: 10/s, for: 1s, rooms: blue}\n"
        "steps:\n  - send: hello\n    from: user-1\n    to: red\n    id: hello\n"
        "inboxes: {stranger: []}\n"
    )
    plan = drawn(1, text)
    assert len(plan.steps) == 1
    assert plan.workload is not None
    assert plan.workload.rooms == ("blue",)
    assert dataclasses.replace(plan, workload=None).to_json()["workload"] is None
