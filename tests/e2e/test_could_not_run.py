"""Servers and clients that do not do their part: a result that names them, an exit code, never a hang."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support import until

QUICK = """
scenario: Two people and a word
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - send: hello
    from: alice
    id: hello
  - expect: hello
    received_by: bob
inboxes:
  bob: [hello]
"""


def recorded(reports):
    """The operations on record so far, whatever the run."""
    text = "".join(path.read_text() for path in reports.glob("*-*/*/history.jsonl"))
    return [json.loads(line) for line in text.split("\n")[1:-1]]


def connected(reports):
    """The same, once the harness and both clients are connected."""
    ops = recorded(reports)
    return ops if sum(op["f"] == "connect" and op["type"] == "ok" for op in ops) == 3 else []


def python(script):
    return f'{sys.executable} -c "{script}"'


def test_a_server_command_that_does_not_exist(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "--server", "/no/such/server --port {port}")
    assert ran.code == 3, ran
    assert "/no/such/server: No such file or directory" in ran.text


def test_a_server_that_dies_at_start_is_quoted(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "--server", python("import sys; sys.exit('the disk is on fire')"))
    assert ran.code == 3, ran
    assert "the server ended before it was ready (exit 1)" in ran.text
    assert "the disk is on fire" in ran.text


@pytest.mark.parametrize("says", ["pass", "print('welcome!', flush=True)"])
def test_a_server_that_never_gets_ready_is_given_up(chatsim, scenario, says):
    script = f"import signal; {says}; signal.pause()"
    ran = chatsim("run", scenario(QUICK), "--server", python(script), "--ready-within", "500ms")
    assert ran.code == 3, ran
    assert "the server was not ready within 0.5 s" in ran.text


def test_a_server_that_answers_garbage(chatsim, scenario):
    script = (
        "import socket, json; s = socket.create_server(('127.0.0.1', 0)); "
        "print(json.dumps(dict(event='ready', port=s.getsockname()[1])), flush=True)\n"
        "while True: c, _ = s.accept(); c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\nhello'); c.close()"
    )
    command = scenario("import sys\nexec(sys.argv[1])", "run.py")
    ran = chatsim("run", scenario(QUICK), "--server", f'{sys.executable} {command} "{script}"')
    assert ran.code == 3, ran
    assert "the harness could not connect to the server" in ran.text


def test_a_server_that_is_killed_in_mid_run_fails_the_run(chatsim, scenario):
    """The client kills it: nobody asked for that."""
    path = scenario(QUICK.replace("  - send: hello", "  - wait: 30s\n  - send: hello"))
    with chatsim.start("run", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        ops = until(lambda: connected(chatsim.reports), "server and both clients", 20)
        pid = next(op["value"]["pid"] for op in ops if op["f"] == "start" and op["type"] == "ok")
        os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1, (out, err)
    assert "server" in out
    assert "SIGKILL" in out or "signal 9" in out


@pytest.mark.parametrize(
    ("script", "code", "sentence"),
    [
        ("raise SystemExit('no licence')", 3, "the driver of harness ended before it said hello"),
        ("print('hi there', flush=True); import signal; signal.pause()", 3, "is not JSON: 'hi there'"),
    ],
)
def test_a_driver_that_is_unusable(chatsim, scenario, script, code, sentence):
    ran = chatsim("run", scenario(QUICK), "--driver", python(script))
    assert ran.code == code, ran
    assert sentence in ran.text


def test_ctrl_c_judges_what_was_recorded_and_leaves_130(chatsim, scenario):
    path = scenario(QUICK.replace("inboxes:", "  - wait: 60s\ninboxes:"))
    with chatsim.start("run", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: any(op["f"] == "wait" for op in recorded(chatsim.reports)), "the pause", 20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "INTERRUPTED" in out
    row = next(chatsim.reports.glob("latest/*/verdicts.json"))
    assert '"status"' in row.read_text()


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "bob"), (signal.SIGSTOP, "did not answer `send` within")],
    ids=["dies", "stops-answering"],
)
def test_a_client_process_that_fails_in_mid_run_is_named(chatsim, scenario, number, said):
    text = QUICK.replace("- send: hello\n    from: alice", "- wait: 1s\n  - send: hello\n    from: bob")
    path = scenario(text.replace("received_by: bob", "received_by: alice").replace("bob: [", "alice: ["))
    with chatsim.start("run", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        ops = until(lambda: connected(chatsim.reports), "server and both clients", 20)
        os.kill(
            next(op["value"]["pid"] for op in ops if op["f"] == "spawn" and op["process"] == "bob"), number
        )
        out, err = process.communicate(timeout=40)
    assert process.returncode == 1, (out, err)
    folded = " ".join(out.split())
    assert said in folded, out
    assert "bob" in folded
    assert "Traceback" not in out + err


#: Chatsim on a disk that is full from the 20th line of a history on, for a while.
FULL = """
import errno, os, sys
real = os.write
def write(fd, data):
    if data.startswith(b'{"index":20,'):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return real(fd, data)
os.write = write
from harness.cli import main
main(sys.argv[1:])
"""


def test_a_history_that_cannot_be_written_judges_nobody(chatsim, scenario):
    """What is missing in it, the server would be convicted of."""
    words = chatsim.command("run", scenario(QUICK))[3:]
    ran = subprocess.run(
        [sys.executable, "-c", FULL, *words],
        env=chatsim.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 3, ran
    said = " ".join(ran.stdout.split())
    assert "could not be run: the history could not be written: No space left on device" in said
    assert "keep them on another disk" in said
    assert not list(chatsim.reports.glob("*/*/verdicts.json"))


def test_an_empty_server_command_is_not_taken_for_our_own(chatsim, scenario):
    ran = chatsim("run", scenario(QUICK), "--server", "")
    assert (ran.code, ran.out) == (2, "")
    assert "'' is no command: give one, or leave the option out to play chatsys" in ran.err
    assert not chatsim.reports.exists()
