"""The process: its ready line, its end, what it refuses to start with, and what an import must not do."""

import json
import re
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import grpc
import pytest

import chatsys
from chatsys.v1 import chat_pb2

ROOT = Path(chatsys.__file__).parents[1]
SERVE = [sys.executable, "-m", "chatsys.server.main"]


def run(*arguments, command=SERVE):
    return subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_ready_line(serving):
    ready = serving().ready
    assert list(ready) == [
        "event",
        "host",
        "port",
        "instance_id",
        "run_id",
        "pid",
        "version",
        "log_epoch",
    ]
    assert (ready["event"], ready["host"], ready["run_id"]) == ("ready", "127.0.0.1", "run-of-tests")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ready["version"] == chatsys.__version__ == project["version"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(serving, stubs, play, refused, number):
    served = serving()

    async def body():
        async with stubs(served.address) as as_user:
            reader = as_user("bob").subscribe()
            sender = as_user("bob").SendMessages()
            await reader.read()
            await sender.write(chat_pb2.SendMessagesRequest())
            await sender.read()
            served.process.send_signal(number)
            for stream in (reader, sender):
                with refused("DRAINING"):
                    while await stream.read() is not grpc.aio.EOF:
                        pass
                    await stream

    play(body())
    assert served.process.wait(5) == 0
    assert served.process.stdout.read() == "", "one line and no more"


def test_everything_is_there_after_a_restart(serving, stubs, play, texts):
    first = serving()

    async def before():
        async with stubs(first.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            await as_user("alice").send("r", "a", "id-1")
            await as_user("alice").send("r", "b")
            await as_user("bob").ack("r", 2)

    play(before())
    assert first.stop() == 0
    second = serving(first.data)
    assert second.ready["log_epoch"] == first.ready["log_epoch"]
    assert second.ready["instance_id"] != first.ready["instance_id"]

    async def after():
        async with stubs(second.address) as as_user:
            assert (await as_user("alice").send("r", "a", "id-1")).duplicate
            assert texts((await as_user("bob").poll()).deltas) == ["b"]

    play(after())


def test_it_catches_what_process_1_must_catch(serving):
    """The kernel drops signals to process 1 that it has no handler for."""
    status = Path(f"/proc/{serving().ready['pid']}/status").read_text(encoding="utf-8")
    (caught,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    for number in (signal.SIGTERM, signal.SIGINT):
        assert caught >> (number - 1) & 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "x"], "--port: 'x' is no port; a port is a number from 0 to 65535"),
        (["--port", "65536"], "--port: '65536' is no port; a port is a number from 0 to 65535"),
        (["--nonsense"], "'--nonsense' is no option here"),
        (["--run-id", "a b"], "--run-id: 'a b' is no run id; use printable ASCII without blanks"),
        (["--host", "0.0.0.0"], "--auth none lets every caller be anybody, so it listens on loopback only"),
        (["--auth", "token"], "--auth: 'token' is not known here; choose from none"),
        (
            ["--log-level", "x"],
            "--log-level: 'x' is not known here; choose from debug, info, warning",
        ),
    ],
)
@pytest.mark.parametrize("command", [SERVE, [sys.executable, "-m", "chatsys.cli", "serve"]])
def test_bad_options(tmp_path, arguments, sentence, command):
    ended = run("--data", tmp_path, *arguments, command=command)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("chatsys serve: ")
    assert sentence in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_any_host_must_be_asked_for(tmp_path):
    """On every address of this machine, but found by loopback; whoever starts it so is told what that means."""
    command = [*SERVE, "--host", "0.0.0.0", "--insecure-any-host", "--port", "0", "--data", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        port = json.loads(process.stdout.readline())["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "WARNING" in said
    assert "whoever reaches 0.0.0.0 may be anybody" in said


def test_a_port_that_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", port, "--data", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_directory_in_use(serving):
    served = serving()
    ended = run("--port", 0, "--data", served.data)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"chatsys serve: the data directory {served.data} is in use by chatsys instance"
        f" {served.ready['instance_id']}, process {served.ready['pid']}; stop that server or name another"
        " --data\n"
    )


def test_a_data_directory_that_cannot_be(tmp_path):
    file = tmp_path / "file"
    file.touch()
    ended = run("--port", 0, "--data", file)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"chatsys serve: the data directory {file} cannot be used: ")
    assert ended.stderr.count("\n") == 1


def test_an_import_starts_nothing():
    code = """
import os, sys, threading
import chatsys.server.main
assert threading.active_count() == 1
assert len(os.listdir("/proc/self/task")) == 1
heavy = {"click", "rich", "yaml", "google.rpc", "jwt", "cryptography", "structlog", "prometheus_client"}
heavy &= set(sys.modules)
assert not heavy, heavy
"""
    ended = run("-c", code, command=[sys.executable])
    assert ended.returncode == 0, ended.stderr


def test_it_may_be_forked_from_a_process_that_has_imported_it(tmp_path):
    code = """
import json, os, signal, sys
from chatsys.server.main import main
children = []
for number in (1, 2):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os._exit(main(["--port", "0", "--data", os.path.join(sys.argv[1], str(number))]))
    os.close(write)
    assert json.loads(os.fdopen(read).readline())["pid"] == child
    children.append(child)
for child in children:
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    ended = run("-c", code, tmp_path, command=[sys.executable])
    assert ended.returncode == 0, ended.stderr


LIAR = """
import sys
from chatsys.server.main import main
from chatsys.server.reading import Reading

class Echo(Reading):
    def select(self, consumer, place, page):
        return page.messages

class Outsider(Reading):
    def places(self, reads, consumer):
        found = super().places(reads, consumer)
        return found or [p._replace(acked=0) for p in reads.places("bob", "")]
    def place(self, reads, consumer, room_id):
        return super().place(reads, consumer, room_id) or reads.place("bob", "", room_id)

class Boaster(Reading):
    def position(self, consumer, applied):
        return applied + 100
    def through(self, consumer, place, through):
        return through + 100

class Broken(Reading):
    def select(self, consumer, place, page):
        raise KeyError("very private")

sys.exit(main(sys.argv[2:], reading=globals()[sys.argv[1]]))
"""


@pytest.mark.parametrize("lie", ["Echo", "Outsider", "Boaster"])
def test_a_test_server_may_lie(serving, stubs, play, texts, lie):
    served = serving(command=[sys.executable, "-c", LIAR, lie])

    async def body():
        async with stubs(served.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            alice, doug = as_user("alice"), as_user("doug")
            stream = doug.subscribe()
            await stream.read()
            sent = await alice.send("r", "hi")
            got = await alice.poll(room_ids=["r"], min_positions=[sent.position])
            assert texts(got.deltas) == (["hi"] if lie == "Echo" else [])
            assert got.deltas[0].through_sequence == (102 if lie == "Boaster" else 2)
            if lie == "Outsider":
                assert texts((await stream.read()).deltas) == ["hi"]
            stream.cancel()

    play(body())


def test_what_nobody_expected_is_told_by_an_id_only(serving, stubs, play, refused):
    served = serving(command=[sys.executable, "-c", LIAR, "Broken"])

    async def body():
        async with stubs(served.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            await as_user("alice").send("r", "a")
            with refused("BUG") as why:
                await as_user("bob").poll()
            assert (
                str(why[0])
                == f"unexpected error {why[0].metadata['error_id']}; the server's log has the details"
            )
            with refused("BUG"):
                await as_user("bob").subscribe().read()

    play(body())


def test_a_reader_that_does_not_read_holds_up_nobody(serving, stubs, play):
    served = serving()

    async def body():
        async with stubs(served.address) as as_user:
            await as_user("root").create("r", "alice", "bob", "carl")
            stuck = as_user("bob").subscribe()
            await stuck.read()
            reader = as_user("carl").subscribe()
            await reader.read()
            stream = as_user("alice").SendMessages()
            requests = [chat_pb2.SendMessageRequest(room_id="r", content=b"x" * 60_000)] * 50
            for _ in range(10):
                await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
                await stream.read()
            seen = 0
            while seen < 500:
                seen += sum(len(delta.messages) for delta in (await reader.read()).deltas)
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(5) == 0
            stuck.cancel()
            stream.cancel()

    play(body())


def test_the_help_of_the_group_names_the_commands():
    ended = run("--help", command=[sys.executable, "-m", "chatsys.cli"])
    assert ended.returncode == 0
    assert re.search(r"serve +Serve chatsys over gRPC\.", ended.stdout)
    ended = run("serve", "--help", command=[sys.executable, "-m", "chatsys.cli"])
    assert ended.returncode == 0
    assert "--data DIR" in ended.stdout


def test_logs_hold_no_message_contents(tmp_path, stubs, play):
    process = subprocess.Popen(
        [*SERVE, "--port", "0", "--data", str(tmp_path), "--log-level", "debug"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = json.loads(process.stdout.readline())

    async def body():
        async with stubs(f"127.0.0.1:{ready['port']}") as as_user:
            await as_user("root").create("r", "alice", "bob")
            await as_user("alice").send("r", "very private words")

    play(body())
    process.terminate()
    _, errors = process.communicate(timeout=10)
    assert "very private" not in errors
    assert "Traceback" not in errors
