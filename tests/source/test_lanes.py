"""Rooms, polls and lanes: what one lane does is no certainty in another, and all of it counts afterwards."""

from __future__ import annotations

import json

import pytest

from harness.model.plan import Plan
from harness.source import compile_plan

CAST = """
scenario: x
clients: {alice: {}, bob: {}, carl: {receive: manual, acks: manual}}
rooms: {lobby: {members: [alice, bob, carl], admins: [alice]}}
steps:
  - connect: [alice, bob, carl]
  - parallel:
      make:
        - {create: den, by: alice, members: [bob]}
        - {send: hi, from: alice, to: den, id: hi}
        - {kick: bob, room: lobby, by: alice}
      talk:
        - {send: "x ${n}", from: alice, to: lobby, id: x, repeat: 3}
        - {poll: carl, gets: [x.*]}
        - {ack: carl, through: x.2}
"""


def compiled(steps: str) -> tuple[Plan | None, list[tuple[str, str]]]:
    plan, found = compile_plan(CAST + steps, "x.yaml", "x")
    return plan, [(item.code, item.message) for item in found]


def test_what_lanes_make_is_there_afterwards():
    plan, found = compiled("""
  - {send: later, from: alice, to: den, id: later}
  - {expect: [hi, later], received_by: bob}
  - {poll: carl, gets: []}
inboxes:
  bob: {den: [hi, later], lobby: []}
  carl: {lobby: [x.*]}
""")
    assert found == []
    assert plan is not None
    assert plan.room("den").members == ("alice", "bob")
    assert plan.room_names() == ("lobby", "den")
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("inbox", ["[]", "[x.*]"])
def test_a_message_beside_a_removal_may_come_or_not(inbox):
    plan, found = compiled(f"inboxes: {{bob: {{den: [hi], lobby: {inbox}}}}}")
    assert plan is not None
    assert found == []


def test_whoever_was_removed_in_a_lane_hears_nothing_later():
    _, found = compiled("""
  - {send: late, from: alice, to: lobby, id: late}
  - {expect: late, received_by: bob}
""")
    assert found == [("never-true", "bob is not in lobby, where `late` is sent")]


def test_a_poll_beside_a_send_leaves_it_open_who_was_first():
    source = CAST.replace(
        "        - {poll: carl, gets: [x.*]}\n        - {ack: carl, through: x.2}\n",
        """\
      read:
        - {poll: carl}
""",
    )
    for gets in ("[]", "[x.*]"):
        plan, found = compile_plan(f"{source}  - {{poll: carl, gets: {gets}}}\n", "x.yaml", "x")
        assert plan is not None
        assert found == (), gets


def test_a_room_of_another_lane_is_not_there_yet():
    source = CAST.replace("from: alice, to: lobby, id: x", "from: alice, to: den, id: x")
    plan, found = compile_plan(source, "x.yaml", "x")
    assert plan is None
    assert ("unknown-room", "the room `den` does not exist before line 9") in [
        (f.code, f.message) for f in found
    ]
