"""Runs that are damaged, cut short, of another version or still going on: what report, replay and compare say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.commands import chatsim
from tests.report.html.test_files import write
from tests.report.test_golden import check

ROW = Path("reports/one/latecomers")


def _env(row: Path, **changes: object) -> None:
    data = json.loads((row / "env.json").read_text())
    (row / "env.json").write_text(json.dumps({**data, **changes}))


def _lines(row: Path, change: Callable[[list[str]], list[str]]) -> None:
    history = row / "history.jsonl"
    history.write_text("".join(change(history.read_text().splitlines(keepends=True))))


#: What has happened to the row -> how.
DAMAGES: dict[str, Callable[[Path], object]] = {
    "truncated": lambda row: _lines(row, lambda lines: lines[:15]),
    "torn": lambda row: _lines(row, lambda lines: [*lines[:15], lines[15][:20] + "\n", *lines[16:]]),
    "newer": lambda row: _lines(
        row, lambda lines: [lines[0].replace('"version": 1', '"version": 2'), *lines[1:]]
    ),
    "no_history": lambda row: (row / "history.jsonl").unlink(),
    "no_text": lambda row: (row / "history.jsonl").write_bytes(b'{"format": \xff\xfe'),
    "going_on": lambda row: (row / "env.json").unlink(),
    "torn_env": lambda row: (row / "env.json").write_text('{"format": "chat'),
    "newer_plan": lambda row: (row / "plan.json").write_text('{"format": "chatsim.plan", "version": 7}'),
    "no_plan": lambda row: (row / "plan.json").unlink(),
}


@pytest.fixture
def runs(tmp_path, monkeypatch, tell):
    """Two equal runs, so far."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")
    row = tell("undelivered")
    for name in ("one", "two"):
        folder = write(Path("reports") / name / "latecomers", row)
        (folder / "verdicts.json").write_text(json.dumps(row.judgement.to_json()))
        last = json.loads((folder / "history.jsonl").read_text().splitlines()[-1])
        _env(folder, recorded_ns=last["time"])


def ran(*words: object) -> str:
    done = CliRunner().invoke(chatsim, [str(word) for word in words], prog_name="chatsim")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    shown = f"$ chatsim {' '.join(map(str, words))}\n{done.stdout}"
    if done.stderr:
        shown += f"--- standard error\n{done.stderr}"
    return f"{shown}--- exit code {done.exit_code}\n"


@pytest.mark.parametrize("how", sorted(DAMAGES))
def test_each_command_says_what_is_wrong_and_shows_what_it_can(runs, how):
    DAMAGES[how](ROW)
    parts = [
        ran("replay", ROW, "--speed", "max"),
        ran("report", "--compare", "reports/two/latecomers", ROW),
        ran("report", ROW),
    ]
    page = ROW / "index.html"
    if page.exists():
        marked = "This is not all of it" in page.read_text()
        parts.append(f"(its page is {'marked partial' if marked else 'no more than a sentence'})\n")
    check(f"partial_{how}.txt", "\n".join(parts))


def test_whole_runs_are_no_partial_ones(runs):
    for code, *words in (
        (0, "replay", ROW),
        (0, "report", "--compare", ROW, "reports/two"),
        (1, "report", ROW),
    ):
        told = ran(*words)
        assert "partial" not in told
        assert "not all of it" not in told
        assert f"exit code {code}" in told


def test_one_damaged_row_does_not_keep_the_others_from_their_reports(runs, tell):
    write(Path("reports/one/other"), tell("undelivered"))
    DAMAGES["newer_plan"](ROW)
    told = ran("report", "reports/one")
    assert "exit code 2" in told
    assert "Nothing of this row can be shown" in told
    report = json.loads(Path("reports/one/report.json").read_text())
    assert [row["status"] for row in report["rows"]] == ["fail"]
    DAMAGES["truncated"](Path("reports/one/other"))
    _env(Path("reports/one/other"), recorded_ns=10**12)
    told = ran("report", "reports/one")
    report = json.loads(Path("reports/one/report.json").read_text())
    assert [(row["status"], "cut short" in row["reason"]) for row in report["rows"]] == [("unknown", True)]
    assert 'type="unknown"' in Path("reports/one/junit.xml").read_text()
