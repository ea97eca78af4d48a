"""What a scenario tells the server, and waits for; and limits that decide."""

import json
import sys

import pytest

HEAD = """
scenario: made for a test
clients: [alice, bob, chad]
rooms: {lobby: {members: [alice, bob, chad], admins: [alice]}}
"""

#: Starts chatsys as one starts a server of one's own: it is told its options by {options}, as JSON.
OWN = """
import json, sys
from chatsys.server.main import main
port, data, options = sys.argv[1:]
given = [f"--{name.replace('_', '-')}={text}" for name, text in json.loads(options).items()]
sys.exit(main(["--port", port, "--data", data, "--auth", "none", *given]))
"""
TOO_LARGE = (
    HEAD
    + """
server: {options: {max_content_bytes: 8}}
steps:
  - connect: [alice, bob]
  - {send: Hi, from: alice, id: hi}
  - {send: Hello everyone, from: alice, refused: INVALID_ARGUMENT}
  - {expect: hi, received_by: bob}
"""
)


def test_a_server_of_ones_own_is_told_by_a_word_of_its_command(chatsim, scenario, tmp_path):
    own = tmp_path / "own.py"
    own.write_text(OWN)
    command = f"{sys.executable} {own} {{port}} {{data}}"
    ran = chatsim("run", scenario(TOO_LARGE), "--server", f"{command} {{options}}")
    assert ran.code == 0, ran
    (started,) = (op for op in ran.history() if op["f"] == "start" and op["type"] == "invoke")
    assert '{"max_content_bytes": "8"}' in started["value"]["command"]
    ran = chatsim("run", scenario(TOO_LARGE), "--server", command)
    assert ran.code == 5, ran
    assert "has no {options} to tell it by: `max_content_bytes` (line 6)" in " ".join(ran.out.split())


@pytest.mark.parametrize(("auth", "code"), [("tokens", 0), ("none", 1)])
def test_roles_count_where_the_server_looks_at_who_it_is(chatsim, scenario, auth, code):
    text = HEAD + f"server: {{auth: {auth}}}\n"
    text += """
steps:
  - connect: [alice, bob, chad]
  - {send: hi, from: alice, id: hi}
  - {expect: hi, received_by: [bob, chad]}
  - {kick: chad, by: bob, refused: PERMISSION_DENIED}
  - {kick: chad, by: alice}
"""
    ran = chatsim("run", scenario(text))
    assert ran.code == code, ran


def test_what_the_server_keeps_is_not_gone(chatsim, scenario):
    text = (
        HEAD
        + """
steps:
  - connect: [alice, bob]
  - {send: hi, from: alice, id: hi}
  - {send: ho, from: alice, id: ho}
  - {expect: [hi, ho], received_by: bob}
  - {gone: [hi, ho], within: 150ms}
"""
    )
    ran = chatsim("run", scenario(text))
    assert ran.code == 1, ran
    (ended,) = (op for op in ran.history() if op["f"] == "gone" and op["type"] == "fail")
    assert ended["value"]["reason"] == "the server still keeps hi, ho after 0.15 s"


def test_limits_decide_when_they_are_asked_to(chatsim, scenario):
    text = (
        HEAD
        + """
clients: {alice: {}, bob: {receive: manual}, chad: {}}
limits: {delivery_p99: 1us}
steps:
  - connect: [alice, bob]
  - {send: hi, from: alice, id: hi}
  - {poll: bob, gets: [hi]}
"""
    )
    text = text.replace("clients: [alice, bob, chad]\n", "", 1)
    ran = chatsim("run", scenario(text))
    assert ran.code == 0, ran
    assert ", beyond 0.001 ms" in " ".join(ran.out.split())
    ran = chatsim("run", scenario(text), "--limits", "enforce")
    assert ran.code == 1, ran
    assert "limits: delivery_p99 was " in ran.out
    row = json.loads((ran.folder / "report.json").read_text())["rows"][0]
    assert row["limits"]["beyond"] == ["delivery_p99"]
    assert row["limits"]["decide"] is True
    again = chatsim("report", ran.folder)
    assert again.code == 1, "as it was decided then"
