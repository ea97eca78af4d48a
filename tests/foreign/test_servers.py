"""A server may run already, may say nothing when it is ready, and may be told who is in the group."""

import json
import subprocess
import sys

import pytest

from tests.foreign.conftest import ROOT, endings, python

BASIC = ROOT / "scenarios" / "basic.yaml"


@pytest.fixture
def running(tmp_path):
    """A server of chatsys that nobody in the test may stop; its address."""
    words = ["serve", "--port", "0", "--data", str(tmp_path / "data"), "--auth", "none"]
    command = [sys.executable, "-m", "chatsys.cli", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        ready = json.loads(process.stdout.readline())
        yield f"127.0.0.1:{ready['port']}"
        assert process.poll() is None, "the server was stopped by somebody else"
        process.terminate()


def test_a_running_server_is_used_again_and_again(chatsim, running):
    for _ in range(2):
        ran = chatsim("run", BASIC, ROOT / "scenarios" / "everyone_online.yaml", "--server", running)
        assert ran.code == 0, ran
        assert {op["f"] for op in ran.history("basic") if op["process"] == "server"} == {"start"}


def test_nobody_at_the_address_is_a_sentence(chatsim):
    ran = chatsim("run", BASIC, "--server", "127.0.0.1:1", "--ready-within", "200ms")
    assert ran.code == 3, ran
    assert "no server accepts a connection at 127.0.0.1:1" in ran.out
    assert "start it first, or give its command instead of its address" in ran.out


TOY = """
import sys
from harness.drivers.base import Driver, run

class Toy(Driver):
    name = "toy 1"
    capabilities = ("stream", "one-room")
    async def connect(self, request): {connect}
    async def disconnect(self, request): pass
    async def send(self, request): pass

sys.exit(run(Toy(), []))
"""
MEET = """
scenario: They meet
clients: [alice, zoe, doug]
rooms: {lobby: [zoe, alice]}
steps:
  - connect: [alice, zoe]
  - send: hello
    from: alice
"""


@pytest.mark.parametrize(
    ("connect", "code"),
    [
        ("pass", 4),
        ("from harness.drivers.request import RequestError; raise RequestError('UNAVAILABLE', '', 'x')", 3),
    ],
    ids=["answers", "does not"],
)
def test_a_silent_server_is_ready_when_a_driver_is_let_in(chatsim, scenario, tmp_path, connect, code):
    driver = tmp_path / "toy.py"
    driver.write_text(TOY.format(connect=connect))
    server = python("-c", "import signal, sys; print(sys.argv[1:], flush=True); signal.pause()")
    ran = chatsim(
        "run",
        scenario(MEET),
        "--server",
        server + " {members} {member_numbers}",
        "--driver",
        python(driver),
        "--ready-within",
        "3s",
    )
    assert ran.code == code, ran
    ((status, reason),) = endings(ran).values()
    if code == 4:
        assert status == "unknown"
    else:
        assert reason == "the server was not ready within 3 s"
    log = (ran.row() / "logs" / "server.log").read_text()
    run = ran.row().joinpath("history.jsonl").read_text()
    assert "'1,2']" in log  # in the order of the cast; doug is in no room
    assert log.startswith("['alice-"), log
    assert run.count('"f":"start"') == 2
