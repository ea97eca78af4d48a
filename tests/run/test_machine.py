"""What a doctor finds: of this machine as it is, and of machines that lack something."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import resource
import socket
import subprocess
import sys

import pytest

from harness.keeper.launch import RUN_VARIABLE
from harness.run import leftovers, machine
from harness.run.leftovers import Seen


def test_this_machine_can_play():
    found = [machine.kernel(), machine.versions(), machine.own_programs(), machine.ports()]
    assert [one.state for one in found] == ["ok"] * len(found), found


def test_another_system_promises_less():
    found = machine.kernel("darwin")
    assert found.state == "note"
    assert "after kill -9 of chatsim processes may stay" in found.said
    assert found.remedy


@pytest.mark.parametrize(
    ("soft", "state"), [(64, "bad"), (256, "note"), (1024, "ok"), (resource.RLIM_INFINITY, "ok")]
)
def test_open_files(soft, state):
    found = machine.open_files(soft)
    assert (found.state, bool(found.remedy)) == (state, state != "ok")


@pytest.mark.parametrize(
    ("soft", "group", "state", "remedy"),
    [
        (-1, -1, "ok", ""),
        (40, -1, "bad", "ulimit"),
        (200, 100_000, "note", "ulimit"),
        (4096, 30, "bad", "--pids-limit"),
    ],
)
def test_processes(soft, group, state, remedy):
    found = machine.processes(soft, group)
    assert found.state == state
    assert remedy in found.remedy


def test_a_machine_without_loopback():
    def listen(_address):
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    found = machine.ports(listen)
    assert found.state == "bad"
    assert "Cannot assign requested address" in found.said


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        assert machine.usual_port(port).state == "note"
    assert machine.usual_port(port).state == "ok"


def test_packages_that_are_missing():
    def version(name):
        if name == "grpcio":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1"

    found = machine.versions(version)
    assert (found.state, found.remedy) == ("bad", "pip install grpcio")


def test_a_server_that_cannot_be_imported():
    found = machine.own_programs(["no_such_package.server"])
    assert found.state == "bad"
    assert "No module named 'no_such_package'" in found.said


def test_optional_programs_are_never_a_fault():
    assert {one.state for one in machine.optional(lambda _: None)} == {"absent"}
    assert {one.state for one in machine.optional(lambda name: f"/bin/{name}")} == {"ok"}


def test_room(tmp_path):
    assert machine.room(tmp_path / "not" / "yet", "reports", free=1 << 40).state == "ok"
    assert machine.room(tmp_path, "reports", free=500 << 20).state == "note"
    assert machine.room(tmp_path, "reports", free=1 << 20).state == "bad"
    (tmp_path / "file").write_text("")
    assert machine.room(tmp_path / "file" / "reports", "reports").state == "bad"
    assert not (tmp_path / "not").exists()


def test_a_terminal_without_other_letters():
    assert machine.terminal("utf-8", {"TERM": "xterm"}, isatty=True).state == "ok"
    assert machine.terminal("ascii", {}, isatty=False).remedy == "export LANG=C.UTF-8"


def test_who_is_an_orphan():
    python = "python -X utf8 -m harness.keeper.main 3 chatsys.server.main"
    keeper, fork = Seen(10, "a", python, leads=True), Seen(11, "a", python, leads=False)
    lost = Seen(12, "b", python, leads=False)
    assert leftovers.orphans([keeper, fork, lost]) == [lost]
    found = leftovers.processes([keeper, fork, lost])
    assert (found.state, found.remedy) == ("bad", "kill -9 12")
    assert leftovers.processes([keeper, fork]).said == "nothing; 1 run goes on"
    assert leftovers.processes([]).said == "nothing"


def test_a_process_of_a_run_that_nobody_keeps_is_found():
    environment = {**os.environ, RUN_VARIABLE: "feed0123beef"}
    words = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = [one for one in leftovers.orphans(leftovers.seen()) if one.run == "feed0123beef"]
        process.communicate(b"\n")
    assert [one.pid for one in found] == [process.pid]
    assert "input()" in found[0].command


def test_scratch_directories(tmp_path):
    assert leftovers.directories(tmp_path, runs_go_on=False).said == "nothing"
    (tmp_path / "chatsim-abc").mkdir()
    (tmp_path / "chatsim-notes.txt").write_text("mine")
    found = leftovers.directories(tmp_path, runs_go_on=False)
    assert (found.state, found.remedy) == ("note", f"rm -r {tmp_path}/chatsim-abc")
    assert "chatsim-abc" in found.said
    assert "notes" not in found.said
    assert leftovers.directories(tmp_path, runs_go_on=True).state == "ok"
    assert leftovers.directories(tmp_path / "gone", runs_go_on=False).state == "ok"
