"""Pages on disk: of what was played, and of folders that are damaged, unfinished or from another time."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from harness.cli.report import command
from harness.model.history import header
from tests.report.story import Story, story_of


def write(folder, row):
    """Write the record of a story as a run leaves it."""
    story = story_of(row)
    (folder / "logs").mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(story.plan.to_json()))
    (folder / "env.json").write_text(json.dumps(story.env))
    lines = [header("cafe"), *(op.to_line() for op in sorted(story.ops, key=lambda op: op.index))]
    (folder / "history.jsonl").write_text("\n".join(lines) + "\n")
    for name, told in story.logs.items():
        (folder / "logs" / f"{name}.log").write_text("\n".join(told))
    return folder


@pytest.fixture
def folder(tmp_path, tell):
    """The folder of one run with one row."""
    return write(tmp_path / "reports" / "20261122T153012Z-cafe" / "latecomers", tell("undelivered"))


@pytest.fixture
def report():
    """Runs `chatsim report`."""
    return lambda *words: CliRunner().invoke(command, [*map(str, words)])


def notice(page):
    return re.sub(
        r"\s+", " ", "".join(re.findall(r'<p class="notice" role="alert">(.*?)</p>', page.read_text()))
    )


def test_a_report_writes_the_page_of_each_row_and_of_all(folder, report, tell):
    write(folder.parent / "other[stream]", tell("passes"))
    done = report(folder.parent)
    assert done.exit_code == 1, done.output
    assert done.output.rstrip().endswith(f"page       {folder.parent / 'index.html'}")
    index = (folder.parent / "index.html").read_text()
    assert 'href="latecomers/index.html"' in index
    assert 'href="other%5Bstream%5D/index.html"' in index
    assert "inbox of chad" in (folder / "index.html").read_text()
    assert not notice(folder / "index.html")
    assert not list(folder.parent.rglob(".*"))


def test_the_page_of_one_row_is_its_own(folder, report):
    assert report(folder).exit_code == 1
    assert "What went wrong" in (folder / "index.html").read_text()
    assert not (folder.parent / "index.html").exists()


def test_a_page_leads_only_to_what_lies_beside_it(folder, report):
    report(folder)
    links = set(re.findall(r'<a href="([a-z./]+)"', (folder / "index.html").read_text()))
    assert links == {"history.jsonl", "plan.json", "verdicts.json", "env.json", "logs/"}
    (folder / "history.jsonl").unlink()
    report(folder)
    assert 'href="history.jsonl"' not in (folder / "index.html").read_text()


def test_a_folder_of_runs_gets_a_page_that_leads_to_them(folder, report, tell):
    report(folder.parent)
    root = folder.parents[1]
    (root / "latest").symlink_to(folder.parent.name)
    write(root / "20261121T000000Z-dead" / "gone", tell("passes"))
    done = report(root)
    assert (done.exit_code, done.output) == (0, f"page  {root / 'index.html'}\n")
    page = (root / "index.html").read_text()
    assert page.index("20261122T153012Z-cafe/index.html") < page.index("20261121T000000Z-dead")
    assert "report.json is missing or damaged" in page
    assert "latest" not in page


def damaged(folder, how):
    history = folder / "history.jsonl"
    lines = history.read_text().splitlines(keepends=True)
    match how:
        case "no history":
            history.unlink()
        case "newer history":
            history.write_text(lines[0].replace('"version": 1', '"version": 2') + "".join(lines[1:]))
        case "torn line":
            history.write_text("".join(lines[:10]) + lines[10][:20] + "\n" + "".join(lines[11:]))
        case "no text":
            history.write_bytes(history.read_bytes()[:400] + b"\xff\xfe\n")
        case "newer plan":
            plan = folder / "plan.json"
            plan.write_text(plan.read_text().replace('"version": 1', '"version": 7', 1))
        case "torn plan":
            (folder / "plan.json").write_text('{"format": "chat')


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (
            "no history",
            "history.jsonl: No such file or directory; without a history there is nothing to judge.",
        ),
        (
            "newer history",
            "line 1: this is history format 2; this chatsim reads format 1. Read it with the chatsim that wrote it.",
        ),
        ("torn line", "line 11: not an operation (JSONDecodeError:"),
        ("no text", "history.jsonl: not UTF-8"),
        ("newer plan", "not a plan of version 1: &#39;chatsim.plan&#39; version 7."),
        ("torn plan", "plan.json: not JSON"),
    ],
)
def test_what_cannot_be_judged_is_said_and_what_can_be_read_is_shown(folder, report, how, says):
    damaged(folder, how)
    done = report(folder.parent)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert str(folder / "index.html") in "".join(done.output.split("\n"))
    page = folder / "index.html"
    assert says in re.sub(r"\s+", " ", page.read_text())
    if "plan" not in how:
        assert "This is not all of it." in notice(page)
        assert "scenario: Latecomers catch up" in page.read_text()
    if how == "torn line":
        assert "connect begins" in page.read_text()  # operations before the tear


@pytest.mark.parametrize("cut", [0, 30])
def test_a_run_that_is_still_written_is_marked(folder, report, cut):
    (folder / "env.json").unlink()
    history = folder / "history.jsonl"
    history.write_text(history.read_text()[: -cut or None])
    done = report(folder.parent)
    assert done.exit_code in (1, 4), done.output
    assert "The run is still going on, or the process that played it ended" in notice(folder / "index.html")


def test_an_empty_history_is_a_page_too(tmp_path, report):
    story = Story()
    story.report(None)
    folder = write(tmp_path / "run" / "row", story.report(None))
    (folder / "history.jsonl").write_text(header("cafe") + "\n")
    done = report(folder)
    assert done.exit_code == 4, done.output
    assert '<span class="verdict unknown">' in (folder / "index.html").read_text()


def test_who_writes_no_page_does_not_pay_for_it():
    program = "import sys, harness.cli.performance; sys.exit('jinja2' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
