"""What the words of a scenario become in a plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.model.actions import Expect, InboxItem, Send
from harness.model.plan import Inbox, Plan
from harness.source import compile_plan
from harness.source.compile import ScenarioKeys
from harness.verbs import LATER_VERBS, VERBS
from harness.verbs.keys import schema, table

S = 1_000_000_000
HEAD = "scenario: x\nclients: [alice, bob, chad]\nrooms: {lobby: [alice, bob, chad]}\n"


def plan_of(text: str) -> Plan:
    plan, diagnostics = compile_plan(text, "x.yaml", "x")
    assert plan is not None, diagnostics
    return plan


@pytest.fixture(scope="module")
def every_word() -> Plan:
    return plan_of((Path(__file__).parent / "explained" / "every_word.yaml").read_text(encoding="utf-8"))


def test_the_cast(every_word):
    assert [client.name for client in every_word.clients] == [
        *("alice", "bob", "phone", "laptop", "doug"),
        *("user-1", "user-2", "user-3", "user-4", "slow"),
    ]
    bob, phone = every_word.client("bob"), every_word.client("phone")
    assert (bob.display_name, bob.receive, bob.acks, bob.user) == ("Robert", "stream", "manual", "bob")
    assert (phone.user, phone.consumer, phone.receive) == ("chad", "mobile", "poll")
    assert every_word.client("laptop").consumer == "laptop"
    doug, slow = every_word.client("doug"), every_word.client("slow")
    assert (doug.receive, doug.acks, doug.stay_offline) == ("manual", "manual", True)
    assert (slow.handles_per_s, slow.window, slow.env) == (20.0, 8, (("PACE", "slow"),))
    assert (slow.command, slow.token) == ("python -m mine", "valid")
    assert Plan.from_json(json.loads(json.dumps(every_word.to_json()))) == every_word
    assert every_word.room("hall").members == ("alice", "user-1", "user-2", "user-3", "user-4")
    assert every_word.room("lobby").admins == ("alice",)


def test_top_level_words(every_word):
    assert every_word.tags == ("smoke", "words")
    assert every_word.seed == 7
    assert every_word.listen_ns == 3 * S // 2
    assert every_word.required == ("no-loss", "one-order")


def test_modifiers(every_word):
    steps = every_word.steps
    assert steps[0].within_ns == 10 * S
    assert not steps[0].within_given
    assert (steps[1].refused, steps[1].within_ns, steps[1].within_given) == ("UNAUTHENTICATED", S // 2, True)
    assert steps[2].after_ns == 90 * S
    assert steps[4].at_ns == 120 * S
    assert steps[3].within_ns == 2 * S


def test_several_senders_and_a_series(every_word):
    action = every_word.steps[4].action
    assert isinstance(action, Send)
    assert list(action.messages()) == [
        ("user-1", "tick.user-1.1", "tick 1"),
        ("user-2", "tick.user-2.1", "tick 1"),
        ("user-1", "tick.user-1.2", "tick 2"),
        ("user-2", "tick.user-2.2", "tick 2"),
    ]
    expect = every_word.steps[9].action
    assert isinstance(expect, Expect)
    assert expect.ids == ("tick.user-1.1", "tick.user-1.2", "tick.user-2.1", "tick.user-2.2")
    assert expect.written == "tick.*"


def test_inboxes(every_word):
    boxes = {(box.client, box.room): box for box in every_word.inboxes}
    one, two = ("tick.user-1.1", "tick.user-1.2"), ("tick.user-2.1", "tick.user-2.2")
    assert [item.series for item in boxes["alice", "hall"].items] == [(one, two)]
    assert [item.series for item in boxes["user-3", "hall"].items] == [(one, two)]
    assert [item.series for item in boxes["user-1", "hall"].items] == [(two,)]
    assert boxes["bob", "lobby"] == Inbox(
        client="bob",
        room="lobby",
        pointer="/inboxes/bob/lobby",
        items=(
            InboxItem(pointer="/inboxes/bob/lobby/0", written="hello", series=(("hello",),)),
            InboxItem(pointer="/inboxes/bob/lobby/1", written="perhaps", series=(("perhaps",),)),
        ),
    )
    assert every_word.listed == ("alice", "bob", "user-3", "user-4", "user-1", "laptop")


def test_messages_without_an_id_are_named_by_their_line():
    plan = plan_of(
        HEAD
        + 'steps:\n  - connect: alice\n  - {send: "${n}", from: alice, repeat: 2}\n  - {send: y, from: alice}\n'
    )
    assert [id_ for _, send in plan.sends() for _, id_, _ in send.messages()] == ["@6.1", "@6.2", "@7"]
    flow = plan_of(
        "{scenario: x, clients: [a], rooms: {r: [a]}, "
        "steps: [{connect: a}, {send: x, from: a}, {send: y, from: a}]}"
    )
    ids = [send.id for _, send in flow.sends()]
    assert ids[0] == "@1"
    assert ids[1].startswith("@1:")


def test_spans_have_every_name_of_the_plan():
    text = HEAD.replace("[alice, bob, chad]", "{alice: {}, u: 3}", 1).replace(
        "[alice, bob, chad]", "[alice, u-1..3]"
    )
    plan = plan_of(
        text
        + "steps:\n  - connect: [u-1..3, alice]\n  - {send: x, from: alice, id: x, repeat: 2}\n"
        + "  - expect: x.*\n    received_by: [u-1..2, u-3]\ninboxes:\n  u-1..3: [x.*]\n"
    )
    assert plan.spans["/steps/0"][:2] == (5, 5)
    assert plan.spans["/steps/0/connect/2"] == plan.spans["/steps/0/connect/0"]
    assert plan.spans["/steps/0/connect/3"][:2] == (5, 23)
    assert plan.spans["/steps/1/from/0"] == plan.spans["/steps/1/from"]
    assert plan.spans["/steps/2/expect/1"] == plan.spans["/steps/2/expect"]
    assert plan.spans["/steps/2/received_by/1"] == plan.spans["/steps/2/received_by/0"]
    assert plan.spans["/steps/2/received_by/2"][:2] == (8, 27)
    for box in plan.inboxes:
        assert {box.pointer, *(item.pointer for item in box.items)} <= plan.spans.keys()


def test_inboxes_of_people_in_no_room_one_room_and_two():
    plan = plan_of(
        "scenario: x\nclients: [a, b, c, d]\nrooms: {red: [a, b], blue: [a, b]}\nsteps:\n  - connect: [a, b, c]\n"
        "  - {send: x, from: a, to: red, id: x}\n"
        "inboxes:\n  a: []\n  b: {red: x}\n  c: [x]\n  everyone_else: []\n"
    )
    assert [(box.client, box.room, [item.written for item in box.items]) for box in plan.inboxes] == [
        ("a", "red", []),
        ("a", "blue", []),
        ("b", "red", ["x"]),
        ("b", "blue", []),
        ("c", "red", ["x"]),
    ]
    assert plan.listed == ("a", "b", "c", "d")


def test_a_client_may_be_called_no():
    plan = plan_of("scenario: x\nclients: [no, on]\nrooms: {yes: [no]}\nsteps:\n  - connect: no\n")
    assert [client.name for client in plan.clients] == ["no", "on"]


def test_a_plan_keeps_what_was_warned_of():
    plan = plan_of(
        "scenario: x\nclients: [a, b, c]\nrooms: {red: {members: [a, b, c], admins: [a]}}\nsteps:\n"
        "  - connect: [a, b, c]\n  - {kick: c, by: a}\n  - {send: x, from: a, id: x}\n"
        "  - {expect: x, received_by: [b, c]}\n"
    )
    assert plan.warnings == ("line 8: c is not in red, where `x` is sent; move it to `not_by`",)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_the_tables_are_whole():
    assert not VERBS.keys() & LATER_VERBS.keys()
    for name, verb in VERBS.items():
        assert next(iter(table(verb.keys))) == name, "a verb's own key is its first"
        made = schema(verb.keys)
        assert name in made["required"]
        assert all(part["description"] for part in made["properties"].values())
        assert made["properties"]["within"]["pattern"].startswith("^[0-9]+")
    assert schema(ScenarioKeys)["required"] == ["scenario", "clients", "steps"]
