"""A real broker, by a driver that was written from the protocol page alone."""

import pytest

from tests.foreign.conftest import EXAMPLES, PATIENCE_S, due, endings, grades, played, python, skips

DRIVER = python(EXAMPLES / "mosquitto" / "driver.py")
SERVER = f"sh {EXAMPLES / 'mosquitto' / 'serve.sh'} {{port}} {{data}}"
pytestmark = pytest.mark.needs("mosquitto")

#: What cannot be played against a broker, and why.
SKIPS: dict[str, str] = {
    "basic[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "crash": "the driver lacks `restart`: `kill: server` (line 26)",
    "drain[poll]": "the driver lacks `poll`, `restart`: alice must receive by poll (line 8)",
    "drain[stream]": "the driver lacks `restart`: `restart: server` (line 27)",
    "everyone_online[poll]": "the driver lacks `poll`: alice must receive by poll (line 7)",
    "graceful_restart": "the driver lacks `restart`: `restart: server` (line 17)",
    "join_and_poll": "the driver lacks `poll`: alice must receive by poll (line 6)",
    "kick[poll]": "the driver lacks `poll`, `kick`: alice must receive by poll (line 8)",
    "kick[stream]": "the driver lacks `kick`: `kick` (line 25)",
    "latecomers[poll]": "the driver lacks `poll`: alice must receive by poll (line 7)",
    "lost_answers": "the driver lacks `poll`, `ack`, `grpc`: bob must receive by poll (line 8)",
    "moderation[poll]": "the driver lacks `poll`, `kick`: ann must receive by poll (line 8)",
    "moderation[stream]": "the driver lacks `kick`: `add` (line 26)",
    "outsider[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "rate_limit[poll]": "the driver lacks `poll`: alice must receive by poll (line 9)",
    "rate_limit[stream]": "the command of the server has no {options} to tell it by: `send_rate` (line 11)",
    "rejoin[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "retention[poll]": "the driver lacks `poll`, `history`: alice must receive by poll (line 9)",
    "retention[stream]": "the driver lacks `history`: `gone` (line 29)",
    "rotate_keys[poll]": "the driver lacks `poll`, `keys`: alice must receive by poll (line 9)",
    "rotate_keys[stream]": "the driver lacks `keys`: `rotate_keys` (line 23)",
    "same_name[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "slow_reader[poll]": "the driver lacks `poll`: alice must receive by poll (line 8)",
    "takeover[poll]": "the driver lacks `poll`, `ack`: bob must receive by poll (line 8)",
    "takeover[stream]": "the driver lacks `ack`: older acknowledges by hand (line 11)",
    "tokens[poll]": "the driver lacks `poll`, `auth`: alice must receive by poll (line 9)",
    "tokens[stream]": "the driver lacks `auth`: nobody shows a bad `token` (line 14)",
    "unacked_survives": "the driver lacks `poll`, `ack`, `restart`: bob must receive by poll (line 8)",
}


def test_the_driver_keeps_the_protocol_and_holds_a_conversation(chatsim):
    ran = chatsim("check", "--driver", DRIVER, "--server", SERVER)
    assert ran.code == 0, ran
    assert ran.out.endswith("14 rules: 14 kept, 0 broken\n")


def test_the_shipped_scenarios_pass_or_are_skipped_with_a_reason(chatsim):
    # No capability says that a server tells the devices of one user apart, or that it keeps a room closed.
    paths = played("two_devices", "direct_message")
    ran = chatsim(
        "run",
        *paths,
        "--speed",
        "max",
        "-j",
        "2",
        "--server",
        SERVER,
        "--driver",
        DRIVER,
        timeout=PATIENCE_S,
    )
    assert ran.code == 0, ran
    assert skips(ran) == due(SKIPS, paths)
    assert {status for status, _ in endings(ran).values()} <= {"pass", "skipped"}
    assert grades(ran, "outsider[stream]") == {
        "by marker",
        "by window",
    }  # Doug's silence can only be listened for


AWAY = """
scenario: Bob goes away and comes back, twice, and is told all he missed
clients: [alice, bob]
rooms: {attic: [alice, bob]}
steps:
  - connect: [alice, bob]
  - {send: one, from: alice, id: one}
  - {expect: one, received_by: bob}
  - disconnect: bob
  - {send: "two ${n}", from: alice, id: two, repeat: 50}
  - connect: bob
  - {expect: "two.*", received_by: bob, not_by: alice}
  - disconnect: bob
  - {send: three, from: alice, id: three}
inboxes:
  bob: [one, "two.*", three]
"""


def test_a_session_outlives_its_connection(chatsim, scenario):
    ran = chatsim("run", scenario(AWAY), "--server", SERVER, "--driver", DRIVER)
    assert ran.code == 0, ran
