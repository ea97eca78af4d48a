"""What `chatsim doctor` says, and that it ends as it says."""

from __future__ import annotations

import json

from click.testing import CliRunner

from harness.cli import doctor
from harness.model.checkup import Finding
from harness.report.checkup import tell
from harness.report.look import Look
from tests.report.test_golden import check

FOUND = [
    Finding("versions", "ok", "Python 3.11.7, grpcio 1.80.0, protobuf 6.31.1"),
    Finding("open files", "bad", "64 a process, enough for about 0 clients", "ulimit -n 4096"),
    Finding(
        "port 50051",
        "note",
        "somebody listens there; a server command with this port fixed would fail",
        "wait",
    ),
    Finding("node", "absent", "not here; wanted for the example of a client in Node", "apt install nodejs"),
]


def test_all_kinds_of_findings():
    check("doctor.txt", tell(FOUND, Look()) + "\n")
    assert tell(FOUND, Look(ascii=True)).isascii()
    assert tell(FOUND[:1], Look()).endswith("  chatsim can play here")


def test_it_ends_as_it_says(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda _: FOUND)
    done = CliRunner().invoke(doctor.command, ["--json"])
    assert done.exit_code == 1
    data = json.loads(done.output)
    assert (data["format"], data["version"], data["ok"]) == ("chatsim.doctor", 1, False)
    assert data["findings"][1] == FOUND[1]._asdict()
    monkeypatch.setattr(doctor, "examine", lambda _: [*FOUND[:1], *FOUND[2:]])
    assert CliRunner().invoke(doctor.command, []).exit_code == 0


def test_it_looks_at_everything_and_makes_nothing(tmp_path):
    found = {one.name: one for one in doctor.examine(tmp_path / "reports")}
    assert {"kernel", "open files", "processes", "ports", "versions", "reports", "scratch"} <= set(found)
    assert {"left running", "left on disk", "terminal", "py-spy", "chromium", "mosquitto", "node"} <= set(
        found
    )
    assert not list(tmp_path.iterdir())
