"""Each verb of rooms, of reading and of acknowledging, played against the real server."""

import json
import sys

import pytest

HEAD = """
scenario: made for a test
clients:
  alice: {}
  bob: {}
  eve: {}
rooms: {lobby: {members: [alice, bob], admins: [alice]}}
"""


def played(chatsim, scenario, text, *options):
    ran = chatsim("run", scenario(text), "--speed", "max", *options)
    assert ran.code == 0, ran
    return ran


def ops(ran, f, type_="ok"):
    return [op for op in ran.history() if op["f"] == f and op["type"] == type_]


def test_create_makes_a_room_whose_maker_and_members_talk(chatsim, scenario):
    ran = played(
        chatsim,
        scenario,
        HEAD
        + """
steps:
  - connect: [alice, bob, eve]
  - {create: den, by: bob, members: eve, admins: alice}
  - {create: den, by: alice, refused: ALREADY_EXISTS}
  - {send: hi, from: eve, to: den, id: hi}
  - {expect: hi, received_by: [alice, bob], not_by: eve}
inboxes:
  alice: {lobby: [], den: [hi]}
  eve: []
""",
    )
    made = next(op for op in ops(ran, "create") if op["value"]["room"] == "den")
    assert made["process"] == "bob"
    assert made["value"]["members"] == ["bob", "eve", "alice"]
    assert made["step"] == "/steps/1"
    assert {op["value"]["room"] for op in ops(ran, "history")} == {"lobby", "den"}, "it is audited too"


def test_the_only_room_may_be_one_that_a_step_makes(chatsim, scenario):
    played(
        chatsim,
        scenario,
        """
scenario: one room
clients: [alice, bob]
steps:
  - connect: [alice, bob]
  - {create: den, by: alice, entry: open}
  - {join: bob}
  - {send: hi, from: alice, id: hi}
  - {expect: hi, received_by: bob}
  - {leave: bob}
""",
    )


@pytest.mark.parametrize(("history", "heard"), [("since_join", "[late]"), ("whole_room", "[early, late]")])
def test_what_who_joins_later_is_told(chatsim, scenario, history, heard):
    played(
        chatsim,
        scenario,
        f"""
scenario: joining late
clients: [alice, bob, chad]
rooms: {{hall: {{members: [alice], entry: open, history: {history}}}}}
steps:
  - connect: [alice, bob, chad]
  - {{send: early, from: alice, id: early}}
  - {{join: bob}}
  - {{add: chad, by: alice}}
  - {{send: late, from: alice, id: late}}
inboxes: {{bob: {heard}, chad: {heard}}}
""",
    )


def test_leave_add_and_kick_take_effect_at_once_and_are_refused_to_strangers(chatsim, scenario):
    ran = played(
        chatsim,
        scenario,
        HEAD
        + """
steps:
  - connect: [alice, bob, eve]
  - {join: eve, refused: PERMISSION_DENIED}
  - {leave: eve, refused: PERMISSION_DENIED}
  - {add: eve, by: alice}
  - {send: one, from: eve, id: one}
  - {expect: one, received_by: [alice, bob]}
  - {kick: [eve, bob], by: alice}
  - {send: no, from: eve, refused: PERMISSION_DENIED}
  - {send: two, from: alice, id: two}
  - {add: bob, by: alice}
  - {leave: bob}
  - {kick: eve, by: alice}
inboxes: {bob: [one], eve: []}
""",
    )
    assert [op["value"]["user"] for op in ops(ran, "kick")][-1] == "eve"
    assert {op["value"]["user"] for op in ops(ran, "kick")} == {"bob", "eve"}


def test_resend_is_the_same_message_again(chatsim, scenario):
    ran = played(
        chatsim,
        scenario,
        HEAD
        + """
steps:
  - connect: [alice, bob, eve]
  - {send: "n ${n}", from: alice, id: n, repeat: 3}
  - {send: first try, from: eve, id: late, refused: PERMISSION_DENIED}
  - {add: eve, by: alice}
  - {resend: [n.2, late]}
  - {expect: [n.*, late], received_by: bob}
inboxes: {bob: [n.*, late]}
""",
    )
    tries = [op["value"] for op in ops(ran, "send") if op["value"]["id"] == "n.2"]
    assert [value.get("duplicate", False) for value in tries] == [False, True]
    assert len({(value["sequence"], value["client_message_id"], value["text"]) for value in tries}) == 1


READER = """
scenario: reading by hand
clients: {alice: {}, bob: {receive: manual, acks: %s}}
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - {send: "n ${n}", from: alice, id: n, repeat: 3}
  - {expect: n.*, not_by: bob}
  - {poll: bob, gets: [n.*]}
  - {expect: n.*, received_by: bob}
  - {poll: bob, gets: []}
%s
inboxes: {bob: [n.*]}
"""


def test_a_poll_brings_all_that_was_answered_and_acknowledges_it(chatsim, scenario):
    ran = played(chatsim, scenario, READER % ("auto", ""))
    poll = next(op for op in ops(ran, "poll") if op.get("step") == "/steps/3")
    assert poll["value"]["caught_up"] is True
    assert poll["value"]["positions"]
    brought = [op["value"]["id"] for op in ops(ran, "deliver") if op["value"]["via"] == poll["op"]]
    assert brought == ["n.1", "n.2", "n.3"]
    (ack,) = ops(ran, "ack")
    assert list(ack["value"]["acks"]) == ["lobby"]
    assert ack["index"] < poll["index"], "with `acks: auto` the poll is done when it is acknowledged"


def test_ack_by_hand_through_one_message_and_then_the_rest(chatsim, scenario):
    ran = played(chatsim, scenario, READER % ("manual", "  - {ack: bob, through: n.2}\n  - {ack: bob}"))
    sent = {op["value"]["id"]: op["value"]["sequence"] for op in ops(ran, "send")}
    acks = [op["value"] for op in ops(ran, "ack")]
    assert [value["acks"]["lobby"] for value in acks] == [sent["n.2"], sent["n.3"]]
    assert [value["cursors"]["lobby"] for value in acks] == [sent["n.2"], sent["n.3"]]


def test_nothing_to_acknowledge_stops_the_script(chatsim, scenario):
    text = """
scenario: nothing there
clients: {alice: {}, bob: {acks: manual}}
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - {ack: bob}
"""
    ran = chatsim("run", scenario(text), "--speed", "max")
    assert ran.code == 1, ran
    assert "bob: has received nothing that could be acknowledged" in ran.text


def test_a_poll_that_does_not_bring_what_it_should_fails(chatsim, scenario):
    text = READER.replace("gets: [n.*]", "gets: [n.1, n.3, n.2]") % ("auto", "")
    ran = chatsim("run", scenario(text), "--speed", "max")
    assert ran.code == 1, ran
    assert "the poll of bob brought `n.2` before `n.3`, and should have after" in ran.text


def test_a_slow_reader_takes_its_time(chatsim, scenario):
    ran = played(
        chatsim,
        scenario,
        """
scenario: slow
matrix: {how: [stream, poll]}
receive: "${how}"
clients: {alice: {sends: stream}, bob: {handles: 50/s, window: 3}}
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - {send: "n ${n}", from: alice, id: n, repeat: 12}
  - {expect: n.*, received_by: bob, within: 5s}
inboxes: {bob: [n.*]}
""",
    )
    for row in ran.rows:
        times = [op["t"] for op in ran.history(row) if op["f"] == "deliver"]
        assert len(times) == 12
        assert (times[-1] - times[0]) / 11 >= 0.02e9 * 0.95, row


def test_a_slow_reader_that_leaves_hands_over_what_it_took(chatsim, scenario):
    played(
        chatsim,
        scenario,
        """
scenario: slow, and gone
clients: {alice: {}, bob: {handles: 5/s}}
rooms: {lobby: [alice, bob]}
steps:
  - connect: alice
  - {send: "n ${n}", from: alice, id: n, repeat: 8}
  - connect: bob
  - disconnect: bob
  - connect: bob
  - {expect: n.*, received_by: bob, within: 5s}
inboxes: {bob: [n.*]}
""",
    )


def test_who_stays_offline_is_not_brought_back(chatsim, scenario):
    ran = played(
        chatsim,
        scenario,
        """
scenario: gone for good
clients: {alice: {}, bob: {stay_offline: true}}
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - {send: one, from: alice, id: one}
  - {expect: one, received_by: bob}
  - disconnect: bob
  - {send: two, from: alice, id: two}
inboxes: {bob: [one]}
""",
    )
    assert len([op for op in ops(ran, "connect") if op["process"] == "bob"]) == 1


def test_a_client_has_its_own_driver_and_environment(chatsim, scenario, tmp_path):
    marks = tmp_path / "marks"
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import os, pathlib, sys\n"
        "from harness.drivers.chatsys import main\n"
        "pathlib.Path(os.environ['MARKS']).write_text(os.environ['COLOUR'])\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    played(
        chatsim,
        scenario,
        f"""
scenario: a driver of its own
clients:
  alice: {{}}
  bob: {{command: "{sys.executable} {driver}", env: {{MARKS: "{marks}", COLOUR: "${{env.NO_SUCH:-green}}"}}}}
rooms: {{lobby: [alice, bob]}}
steps:
  - connect: [alice, bob]
  - {{send: one, from: alice, id: one}}
  - {{expect: one, received_by: bob}}
""",
    )
    assert marks.read_text() == "green"


def test_rooms_made_in_a_script_are_fenced_by_markers_too(chatsim, scenario):
    driver = f"{sys.executable} -m harness.drivers.chatsys --without position"
    ran = played(
        chatsim,
        scenario,
        """
scenario: markers in a new room
clients: [alice, bob, chad]
steps:
  - connect: [alice, bob, chad]
  - {create: den, by: alice, entry: open}
  - {join: bob}
  - {send: one, from: alice, id: one}
  - {expect: one, received_by: bob}
  - {expect: one, not_by: alice}
inboxes: {alice: [], bob: [one], chad: []}
""",
        "--driver",
        driver,
    )
    fences = [op["value"] for op in ops(ran, "fence") if op["process"] == "bob"]
    assert json.dumps(fences[-1]["markers"]).startswith('{"den"')
