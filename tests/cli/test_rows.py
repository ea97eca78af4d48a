"""Rows of one command that are not played as they should be: each is told as what it is, and ends no other."""

import asyncio
import errno
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from click.testing import CliRunner

from harness import archive
from harness.cli import ground, invocation, logs, row
from harness.cli.commands import chatsim
from harness.cli.derive import derive
from harness.cli.exit_codes import ExitCode, exit_code
from harness.cli.recorded import settled
from harness.keeper.handle import KeeperError
from harness.model.verdict import RunStatus
from harness.report.failure import failure_block
from harness.report.look import Look
from harness.report.progress import LineProgress
from harness.run.settings import Settings
from harness.source.compile import compile_plan

TEXT = """
scenario: Alone
clients: [alice]
rooms: {lobby: [alice]}
steps: [{connect: alice}]
"""


def plan(name="alone"):
    made, found = compile_plan(TEXT, f"{name}.yaml", name)
    assert made is not None, found
    return made


def venue(folder):
    return row.Venue(
        run="r" * 12, folder=folder, settings=Settings(), command=("chatsim",), keeper=cast("Any", None)
    )


def broken(monkeypatch, fault):
    async def play(*_arguments, **_options):
        raise fault

    monkeypatch.setattr(row, "play", play)


def test_what_breaks_in_chatsim_is_an_error_of_this_row_and_kept(tmp_path, monkeypatch):
    broken(monkeypatch, IndexError("tuple index out of range"))
    report = asyncio.run(row.play_row(venue(tmp_path), plan(), "r1"))
    assert report.status is RunStatus.ERROR
    assert report.reason == "chatsim itself broke: IndexError: tuple index out of range"
    assert report.error.help == "this says nothing of the server; please report it with logs/chatsim.log"
    assert "in play\n" in (tmp_path / "alone" / "logs" / "chatsim.log").read_text()
    assert json.loads((tmp_path / "alone" / "env.json").read_text())["status"] == "error"


def test_a_trouble_of_the_machine_has_its_remedy(tmp_path, monkeypatch):
    broken(monkeypatch, OSError(errno.EMFILE, "Too many open files"))
    report = asyncio.run(row.play_row(venue(tmp_path), plan(), "r1"))
    assert report.reason == "chatsim could not go on: Too many open files"
    assert report.error.help == "`ulimit -n 4096` allows a process more"


def test_without_a_keeper_there_are_no_further_rows(tmp_path, monkeypatch):
    broken(monkeypatch, KeeperError("the keeper is gone"))
    with pytest.raises(KeeperError):
        asyncio.run(row.play_row(venue(tmp_path), plan(), "r1"))


def test_a_row_that_an_interrupt_came_before_is_interrupted_now_and_when_judged_again(tmp_path):
    report = row.leave_out(venue(tmp_path), plan())
    assert (report.status, report.reason) == (RunStatus.INTERRUPTED, "interrupted before it began")
    assert failure_block(report) == "! alone was interrupted before it began"
    again = derive(tmp_path / "alone")
    assert (again.status, again.reason) == (report.status, report.reason)


def test_ctrl_c_between_two_rows_is_no_pass_of_all(tmp_path, monkeypatch, capsys):
    """The one before had passed; of the one behind, silence must not be taken for a pass."""

    class Keeper:
        async def attach(self):
            pass

        async def close(self):
            pass

    async def play_row(venue, plan, _row, *, stop, **_options):
        stop.set()
        return row.leave_out(venue, plan)._replace(status=RunStatus.PASS)

    monkeypatch.setattr(invocation, "play_row", play_row)
    made = invocation.Invocation(
        run="r" * 12, folder=tmp_path, settings=Settings(), jobs=1, command=("chatsim",),
        progress=LineProgress(sys.stdout, look=Look()),
    )  # fmt: skip
    reports = asyncio.run(made.play_all([plan("one"), plan("two"), plan("three")], cast("Any", Keeper())))
    assert [(report.name, report.status) for report in reports] == [
        ("one", RunStatus.PASS),
        ("two", RunStatus.INTERRUPTED),
        ("three", RunStatus.INTERRUPTED),
    ]
    assert exit_code(report.status for report in reports) is ExitCode.INTERRUPTED
    assert capsys.readouterr().out.count("INTERRUPTED") == 2
    assert [folder.name for folder in archive.rows(tmp_path)] == ["one", "three", "two"]


def test_where_latest_is_no_link_it_stays_and_that_is_said(tmp_path, capsys):
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").touch()
    made = ground.folder(tmp_path, "abc")
    ground.lead_to(made)
    said = capsys.readouterr().err
    assert said == f"{tmp_path}/latest does not lead to this run (Is a directory); move it away\n"
    assert (tmp_path / "latest" / "mine").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["latest", made.name])


def test_latest_leads_to_the_newest(tmp_path):
    for run in ("one", "two"):
        made = ground.folder(tmp_path, run)
        assert archive.point_latest(made) == ""
        assert (tmp_path / "latest").readlink() == Path(made.name)
        assert settled(tmp_path / "latest" / "basic[poll]") == made / "basic[poll]"
        assert settled(tmp_path / "latest") == made == settled(made)


def test_vv_passes_on_all_of_a_long_log(tmp_path):
    folder = tmp_path / "one" / "logs"
    folder.mkdir(parents=True)
    lines = [f"line {number} {'x' * 100}" for number in range(5_000)]
    (folder / "server.log").write_text("\n".join(lines) + "\nunfinished")
    said = []
    following = logs.Logs(SimpleNamespace(say=said.append), tmp_path, several=False)
    following.look()
    assert [line.partition(" │ ")[2] for line in "\n".join(said).splitlines()] == lines
    with (folder / "server.log").open("a") as log:
        log.write(" no more\n")
    said.clear()
    following.look()
    assert said == ["    server │ unfinished no more"]


def test_a_run_that_cannot_be_written_to_is_told_and_nothing_half_done_is_left(tmp_path):
    row.leave_out(venue(tmp_path), plan())
    (tmp_path / "report.json" / "taken").mkdir(parents=True)
    ran = CliRunner().invoke(chatsim, ["report", str(tmp_path)])
    assert ran.exit_code == ExitCode.USAGE
    assert "cannot write to" in ran.output
    assert "copy it to where you may write, and judge the copy" in " ".join(ran.output.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "report.json"]
