"""The chat of a course assignment is judged by its driver of fifty lines, and found out when it is wrong."""

import pytest

from tests.foreign.conftest import EXAMPLES, PATIENCE_S, ROOT, due, endings, grades, played, python, skips

DRIVER = python(EXAMPLES / "course" / "driver.py")
SERVER = python(EXAMPLES / "course" / "server.py") + " {port} {member_numbers}"

#: What cannot be played against this server, and why.
SKIPS: dict[str, str] = {
    "basic[stream]": "the driver lacks `stream`: alice must receive by stream (line 8)",
    "crash": "the driver lacks `restart`: `kill: server` (line 26)",
    "direct_message[poll]": "the driver lacks `rooms`: there are 2 rooms (line 11)",
    "direct_message[stream]": "the driver lacks `stream`, `rooms`: alice must receive by stream (line 8)",
    "drain[poll]": "the driver lacks `restart`: `restart: server` (line 27)",
    "drain[stream]": "the driver lacks `stream`, `restart`: alice must receive by stream (line 8)",
    "everyone_online[stream]": "the driver lacks `stream`: alice must receive by stream (line 7)",
    "graceful_restart": "the driver lacks `restart`: `restart: server` (line 17)",
    "join_and_poll": "the driver lacks `rooms`: `create` (line 14)",
    "kick[poll]": "the driver lacks `rooms`, `kick`: there are 2 rooms (line 11)",
    "kick[stream]": "the driver lacks `stream`, `rooms`, `kick`: alice must receive by stream (line 8)",
    "latecomers[stream]": "the driver lacks `stream`: alice must receive by stream (line 7)",
    "lost_answers": "the driver lacks `ack`, `grpc`: bob acknowledges by hand (line 8)",
    "moderation[poll]": "the driver lacks `rooms`, `kick`: `join` (line 16)",
    "moderation[stream]": "the driver lacks `stream`, `rooms`, `kick`: ann must receive by stream (line 8)",
    "one_way_cut": "the driver lacks `stream`: alice must receive by stream (line 8)",
    "outsider[stream]": "the driver lacks `stream`: alice must receive by stream (line 8)",
    "rate_limit[poll]": "the command of the server has no {options} to tell it by: `send_rate` (line 11)",
    "rate_limit[stream]": "the driver lacks `stream`: alice must receive by stream (line 9)",
    "rejoin[poll]": "the driver lacks `rooms`: `leave` (line 22)",
    "rejoin[stream]": "the driver lacks `stream`, `rooms`: alice must receive by stream (line 8)",
    "retention[poll]": "the driver lacks `history`: `gone` (line 29)",
    "retention[stream]": "the driver lacks `stream`, `history`: alice must receive by stream (line 9)",
    "rotate_keys[poll]": "the driver lacks `keys`: `rotate_keys` (line 23)",
    "rotate_keys[stream]": "the driver lacks `stream`, `keys`: alice must receive by stream (line 9)",
    "same_name[stream]": "the driver lacks `stream`: alice must receive by stream (line 8)",
    "slow_reader[stream]": "the driver lacks `stream`: alice must receive by stream (line 8)",
    "takeover[poll]": "the driver lacks `ack`: older acknowledges by hand (line 11)",
    "takeover[stream]": "the driver lacks `stream`, `ack`: bob must receive by stream (line 8)",
    "tokens[poll]": "the driver lacks `auth`: nobody shows a bad `token` (line 14)",
    "tokens[stream]": "the driver lacks `stream`, `auth`: alice must receive by stream (line 9)",
    "unacked_survives": "the driver lacks `ack`, `restart`: bob acknowledges by hand (line 8)",
}


def test_the_shipped_scenarios_pass_or_are_skipped_with_a_reason(chatsim):
    # No capability says that a server tells the devices of one user apart.
    paths = played("two_devices")
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
    assert grades(ran, "everyone_online[poll]") == {"by marker"}
    assert grades(ran, "outsider[poll]") == {"by marker", "not connected"}  # Doug is turned away at the door
    assert "cursors (not applicable: the server has no capability `ack`)" in " ".join(ran.out.split())


EDITED = """
import server
import groupchat_pb2 as pb

class Edited(server.GroupChat):
{body}

server.GroupChat = Edited
server.main()
"""
FAULTS = {
    "echo": """
    def Send(self, request, context):
        super().Send(request, context)
        self._unread[request.client_id].append(pb.Unread(sender_id=request.client_id, text=request.text))
        return pb.SendReply()
""",
    "undelivered": """
    def GetUnread(self, request, context):
        answer = super().GetUnread(request, context)
        if request.client_id == 2:
            kept = [message for message in answer.messages if "marker" in message.text]
            answer = pb.UnreadReply(messages=kept)
        return answer
""",
    "redelivered-after-ack": """
    def GetUnread(self, request, context):
        answer = super().GetUnread(request, context)
        return pb.UnreadReply(messages=[message for message in answer.messages for _ in "ab"])
""",
}


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_server_that_is_wrong_is_convicted(chatsim, tmp_path, kind):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(EDITED.format(body=FAULTS[kind]))
    server = python(
        "-c", f"import sys; sys.path[:0] = ['{EXAMPLES / 'course'}']; exec(open('{wrong}').read())"
    )
    ran = chatsim(
        "run", ROOT / "scenarios" / "everyone_online.yaml", "--server", server + " {port} {member_numbers}",
        "--driver", DRIVER,
    )  # fmt: skip
    assert ran.code == 1, ran
    assert kind in ran.kinds(), ran


SECOND_ROOM = """
scenario: Two rooms
clients: [alice, bob]
rooms: {one: [alice, bob], two: [alice, bob]}
steps:
  - connect: [alice, bob]
"""
PUSHED = """
scenario: Bob wants it pushed
clients:
  alice: {}
  bob: {receive: stream}
rooms: {one: [alice, bob]}
steps:
  - connect: [alice, bob]
"""


def test_when_all_is_skipped_the_exit_code_says_so(chatsim, scenario):
    paths = [scenario(SECOND_ROOM, "two.yaml"), scenario(PUSHED, "pushed.yaml")]
    ran = chatsim("run", *paths, "--server", SERVER, "--driver", DRIVER)
    assert ran.code == 5, ran
    assert skips(ran) == {
        "two": "the driver lacks `rooms`: there are 2 rooms (line 4)",
        "pushed": "the driver lacks `stream`: bob must receive by stream (line 5)",
    }
    history = (ran.folder / "two" / "history.jsonl").read_text()
    assert '"process":"server"' not in history, "nothing is started for what is skipped"
