"""Faults on processes, played with real ones: what each verb does, and what the history says of it."""

import json
import sys

import pytest

from gallery import GALLERY
from gallery.__main__ import path_of
from tests.e2e.test_broken_servers import server

HEAD = """
scenario: Made for a test
clients: [alice, bob, chad]
rooms: {lobby: [alice, bob, chad]}
"""


def play(chatsim, scenario, steps, *options, inboxes=""):
    ran = chatsim("run", scenario(f"{HEAD}steps:\n{steps}{inboxes}"), *(options or ("--speed", "max")))
    return ran, ran.history()


def nemesis(history):
    """(verb, how, targets) of everything the nemesis did."""
    return [(op["f"], op["type"], op["value"]["targets"]) for op in history if op["process"] == "nemesis"]


def exits(history, process):
    """(code, signal, asked) of each end of a process."""
    return [
        tuple(op["value"][key] for key in ("code", "signal", "asked"))
        for op in history
        if op["f"] == "exit" and op["process"] == process
    ]


def test_kill_and_start_of_the_server(chatsim, scenario):
    ran, history = play(
        chatsim,
        scenario,
        """
  - connect: [alice, bob]
  - kill: server
  - start: server
  - send: back again
    from: alice
    id: back
    within: 10s
  - expect: back
    received_by: bob
""",
    )
    assert ran.code == 0, ran
    assert nemesis(history) == [
        ("kill", "invoke", ["server"]),
        ("kill", "ok", ["server"]),
        ("start", "invoke", ["server"]),
        ("start", "ok", ["server"]),
    ]
    assert exits(history, "server") == [(None, 9, True), (0, None, True)]
    starts = [
        op["value"]
        for op in history
        if op["f"] == "start" and op["process"] == "server" and op["type"] == "ok"
    ]
    assert len({start["instance"] for start in starts}) == 2
    assert "/steps/1" in {op["step"] for op in history if op["f"] == "kill"}


def test_a_killed_client_comes_back_as_another_incarnation_and_hears_what_it_missed(chatsim, scenario):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob]
  - kill: bob
    signal: SIGTERM
  - send: while you were out
    from: alice
    id: missed
  - start: bob
  - expect: missed
    received_by: bob
""", inboxes="inboxes: {bob: [missed]}\n")  # fmt: skip
    assert ran.code == 0, ran
    assert len(exits(history, "bob")) == len(exits(history, "bob#2")) == 1
    assert exits(history, "bob")[0][2] is True
    assert next(op["process"] for op in history if op["f"] == "deliver") == "bob#2"


def test_restart_of_both_takes_the_server_first_and_ends_nobody_by_force(chatsim, scenario):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob]
  - send: one
    from: alice
    id: one
  - restart: [bob, server]
  - send: two
    from: bob
    id: two
    within: 10s
""", inboxes="inboxes: {alice: [two], bob: [one]}\n")  # fmt: skip
    assert ran.code == 0, ran
    assert nemesis(history) == [
        ("restart", "invoke", ["server", "bob"]),
        ("restart", "ok", ["server", "bob"]),
    ]
    assert exits(history, "server")[0] == (0, None, True)
    assert exits(history, "bob")[0] == (0, None, True)


def test_pause_and_resume(chatsim, scenario):
    ran, history = play(
        chatsim,
        scenario,
        """
  - connect: [alice, bob, chad]
  - pause: bob
  - send: can you hear me
    from: alice
    id: question
  - expect: question
    received_by: chad
  - resume: bob
  - expect: question
    received_by: bob
  - pause: server
    for: 300ms
    id: nap
  - wait: nap
  - send: and now
    from: bob
    id: answer
""",
    )
    assert ran.code == 0, ran
    got = {
        op["process"]: op["index"]
        for op in history
        if op["f"] == "deliver" and op["value"]["id"] == "question"
    }
    resumed = next(op["index"] for op in history if op["f"] == "resume" and op["type"] == "invoke")
    assert got["chad"] < resumed < got["bob"]
    assert nemesis(history)[-2:] == [("resume", "invoke", ["server"]), ("resume", "ok", ["server"])]
    nap = next(op["time"] for op in history if op["f"] == "pause" and op["value"].get("for_ns"))
    woken = next(op["time"] for op in history if op["f"] == "wait" and op["type"] == "ok")
    assert woken - nap >= 300_000_000, "the clock is not compressed while a fault is active"


def test_whatever_the_script_left_in_ruins_is_healed_before_everybody_is_read(chatsim, scenario):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob, chad]
  - send: remember
    from: alice
    id: remember
  - pause: chad
  - kill: [bob, server]
""", inboxes="inboxes: {bob: [remember], chad: [remember]}\n")  # fmt: skip
    assert ran.code == 0, ran
    final = next(op["index"] for op in history if op["f"] == "final")
    fence = next(op["index"] for op in history if op["f"] == "fence" and op["index"] > final)
    healed = [
        op for op in history if op["process"] == "nemesis" and op["type"] == "ok" and op["index"] > final
    ]
    assert [(op["f"], op["value"]["targets"]) for op in healed] == [
        ("resume", ["chad"]),
        ("start", ["server", "bob"]),
    ]
    assert all(op["index"] < fence for op in healed)


def test_kill_9_with_sends_in_flight_loses_nothing_acknowledged(chatsim, scenario):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob, chad]
  - parallel:
      a: [{send: "a${n}", from: alice, id: a, repeat: 100, outcome: any}]
      b: [{send: "b${n}", from: bob, id: b, repeat: 100, outcome: any}]
      crash:
        - kill: server
          at: 60ms
          for: 100ms
""", inboxes="inboxes: {chad: [{interleaved: [a.*, b.*]}], alice: [b.*], bob: [a.*]}\n")  # fmt: skip
    assert ran.code == 0, ran
    acknowledged = {op["value"]["id"] for op in history if op["f"] == "send" and op["type"] == "ok"}
    got = {op["value"]["id"] for op in history if op["f"] == "deliver" and op["process"] == "chad"}
    assert acknowledged <= got
    assert len(exits(history, "server")) == 2


def test_a_send_of_somebody_who_is_killed_meanwhile_is_unknown_and_no_failure(chatsim, scenario):
    ran, history = play(
        chatsim,
        scenario,
        """
  - connect: [alice, bob]
  - pause: server
  - parallel:
      talk: [{send: perhaps, from: alice, id: perhaps, within: 5s}]
      end: [{kill: alice, at: 200ms}]
  - resume: server
  - send: surely
    from: bob
    id: surely
""",
    )
    sends = {op["value"]["id"]: op["type"] for op in history if op["f"] == "send" and op["type"] != "invoke"}
    assert sends == {"perhaps": "info", "surely": "ok"}
    assert ran.code == 4, ran
    assert "never answered, while a fault was active: the server was stopped on line" in ran.text
    assert "--> " in ran.out, "it has a place"
    assert "= so" in ran.out, "and a remedy"
    (outcome,) = (verdict for verdict in ran.verdicts()["verdicts"] if verdict["name"] == "outcome")
    report = json.loads((ran.folder / "report.json").read_text())
    (told,) = (v for v in report["rows"][0]["verdicts"] if v["name"] == "outcome")
    assert outcome["violations"][0]["pointers"][0] == told["place"]["pointer"]


def test_what_fails_in_one_lane_stops_the_others_and_the_rest_of_the_script(chatsim, scenario):
    ran, history = play(
        chatsim,
        scenario,
        """
  - connect: [alice, bob]
  - parallel:
      long:
        - send: one
          from: bob
          id: one
        - send: never
          from: bob
          id: never
          after: 1h
      wrong:
        - send: let me in
          from: alice
          refused: PERMISSION_DENIED
          at: 1s
  - send: nor this
    from: alice
    id: nor
""",
    )
    assert ran.code == 1, ran
    assert {op["value"]["id"] for op in history if op["f"] == "send"} == {"one", "@18"}
    assert any(op["f"] == "final" and op["type"] == "ok" for op in history)
    assert "expected PERMISSION_DENIED, but it was not refused" in ran.out
    assert "made.yaml:18:" in ran.out


def test_a_restart_that_is_cut_short_is_seen_to_its_end_before_everybody_is_read(chatsim):
    """While the server leaves it refuses a send, by its fault, and that stops the script."""
    broken = GALLERY["turns-away-while-leaving"]
    (path,) = map(path_of, broken.scenarios)
    ran = chatsim("run", path, "--speed", "max", "--server", server(broken, "--options {options}"))
    assert ran.code == 1, ran
    history = ran.history()
    begun = [op["type"] for op in history if op["f"] == "start" and op["process"] == "server"]
    assert begun == ["invoke", "ok", "invoke", "ok"]
    assert exits(history, "server")[0] == (0, None, True)
    fences = [op["type"] for op in history if op["f"] == "fence" and op["type"] != "invoke"]
    assert "ok" in fences
    assert "info" not in fences, "somebody was there to answer"


@pytest.mark.parametrize("speed", ["max", "1"])
def test_lanes_go_by_a_clock_of_their_own(chatsim, scenario, speed):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob]
  - wait: 400ms
  - parallel:
      one:
        - {send: second, from: alice, id: second, at: 300ms}
      two:
        - {send: first, from: bob, id: first, at: 100ms}
        - {send: third, from: bob, id: third, at: 600ms}
""", "--speed", speed)  # fmt: skip
    assert ran.code == 0, ran
    begun = [op["value"]["id"] for op in history if op["f"] == "send" and op["type"] == "invoke"]
    assert begun == ["first", "second", "third"]


def test_a_server_that_does_not_come_back_is_a_failure_of_the_server(chatsim, scenario, tmp_path):
    once = tmp_path / "once.sh"
    once.write_text(
        'test -e "$1/was" && { echo "cannot open my log"; exit 3; }\n'
        'mkdir -p "$1" && touch "$1/was"\n'
        f'exec {sys.executable} -m chatsys.cli serve --port 0 --data "$1"\n'
    )
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob]
  - send: hello
    from: alice
    id: hello
  - kill: server
    for: 50ms
    id: crash
  - wait: crash
""", "--server", f"sh {once} {{data}}")  # fmt: skip
    assert ran.code == 1, ran
    assert ("start", "invoke", ["server"]) in nemesis(history)
    assert exits(history, "server") == [(None, 9, True), (3, None, False)]
    assert "cannot open my log" in ran.out


def test_a_run_that_ends_early_does_not_wait_for_what_would_end_a_fault(chatsim, scenario):
    ran, history = play(
        chatsim,
        scenario,
        """
  - connect: [alice, bob]
  - kill: bob
    for: 1h
  - send: let me in
    from: alice
    refused: PERMISSION_DENIED
""",
    )
    assert ran.code == 1, ran
    assert nemesis(history)[-1] == ("start", "ok", ["bob"])
    assert exits(history, "bob#2"), "started to be read, and ended like everybody"


def test_a_script_may_end_while_a_fault_is_about_to(chatsim, scenario):
    ran, history = play(chatsim, scenario, """
  - connect: [alice, bob]
  - send: before
    from: alice
    id: before
  - kill: server
    for: 50ms
  - wait: 60ms
""", inboxes="inboxes: {bob: [before]}\n")  # fmt: skip
    assert ran.code == 0, ran
    assert [op["type"] for op in history if op["process"] == "nemesis" and op["f"] == "start"] == [
        "invoke",
        "ok",
    ]
