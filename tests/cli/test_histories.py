"""`chatsim report --history`: what another program recorded is judged, or refused with every fault."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from harness.cli.commands import chatsim
from tests.judge.plans import plan_of
from tests.model.test_foreign import EXAMPLE, counted


def report(folder: Path, lines: list[str], *words: str) -> Result:
    path = folder / "mine.jsonl"
    path.write_text("".join(lines))
    return CliRunner().invoke(chatsim, ["report", "--history", str(path), *words])


def test_one_that_is_right_passes_and_nothing_is_written(tmp_path: Path) -> None:
    ran = report(tmp_path, EXAMPLE)
    assert ran.exit_code == 0, ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]


def test_one_in_which_something_is_lost_fails(tmp_path: Path) -> None:
    ran = report(tmp_path, counted([*EXAMPLE[:10], *EXAMPLE[11:]]))
    assert ran.exit_code == 1, ran.output
    assert "nobody ever got `m2`" in " ".join(ran.output.split())


def test_it_gets_the_folder_of_a_run_where_one_asks_for_it(tmp_path: Path) -> None:
    ran = report(tmp_path, counted([*EXAMPLE[:10], *EXAMPLE[11:]]), "--reports", str(tmp_path / "reports"))
    assert ran.exit_code == 1, ran.output
    folder = tmp_path / "reports" / "latest"
    suites = ET.parse(folder / "junit.xml").getroot()
    assert int(suites.get("failures", "0")) >= 1
    (row,) = json.loads((folder / "report.json").read_text())["rows"]
    assert (row["name"], row["status"]) == ("mine", "fail")
    assert (folder / "mine" / "index.html").is_file()
    again = CliRunner().invoke(chatsim, ["report", str(folder)])
    assert again.exit_code == 1
    assert "nobody ever got `m2`" in " ".join(again.output.split())


def test_one_that_is_refused_leaves_no_folder(tmp_path: Path) -> None:
    ran = report(tmp_path, EXAMPLE[1:], "--reports", str(tmp_path / "reports"))
    assert ran.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.jsonl"]
    (tmp_path / "file").write_text("")
    ran = report(tmp_path, EXAMPLE, "--reports", str(tmp_path / "file" / "reports"))
    assert ran.exit_code == 2
    assert "choose another with --reports" in " ".join(ran.output.split())


def test_programs_read_json_lines(tmp_path: Path) -> None:
    ran = report(tmp_path, EXAMPLE, "--json")
    assert ran.exit_code == 0, ran.output
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["event"] for each in events] == ["run_started", "row_finished", "run_finished"]
    assert events[0]["schema"] == "chatsim.run.v1"
    assert (events[1]["status"], events[2]["exit_code"]) == ("pass", 0)


def test_one_that_is_out_of_order_is_unknown(tmp_path: Path) -> None:
    ran = report(tmp_path, [*EXAMPLE[:5], EXAMPLE[6], EXAMPLE[5], *EXAMPLE[7:]])
    assert ran.exit_code == 4, ran.output
    assert "indices count without holes" in " ".join(ran.output.split())


def test_sequences_of_any_size_are_judged(tmp_path: Path) -> None:
    lines = [line.replace('"sequence": 2', f'"sequence": {2**62}') for line in EXAMPLE]
    assert lines != EXAMPLE
    ran = report(tmp_path, lines)
    assert ran.exit_code == 0, ran.output


def test_a_malformed_one_is_refused_with_every_fault(tmp_path: Path) -> None:
    ran = report(tmp_path, [EXAMPLE[0], "{}\n", *EXAMPLE[2:-1], EXAMPLE[-1][:30]])
    assert ran.exit_code == 2
    said = " ".join(ran.output.split())
    assert "is no history of format 1: 6 faults" in said
    assert "line 2: `process` is missing" in said
    assert "line 13: the file ends within this line" in said


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    ran = CliRunner().invoke(chatsim, ["report", "--history", str(path)])
    assert ran.exit_code == 2
    assert "not UTF-8" in ran.output


def test_a_plan_adds_what_it_expects(tmp_path: Path) -> None:
    plan = plan_of(
        {
            "name": "case",
            "clients": ["alice", "bob"],
            "rooms": {"lobby": ["alice", "bob"]},
            "inboxes": {"bob": ["m1"]},
        }
    )
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan.to_json()))
    ran = report(tmp_path, EXAMPLE, "--plan", str(path))
    assert ran.exit_code == 1, ran.output
    assert "is not in this inbox" in " ".join(ran.output.split())
    path.write_text('{"format": "chatsim.plan", "version": 9}')
    ran = report(tmp_path, EXAMPLE, "--plan", str(path))
    assert ran.exit_code == 2
    assert "not a plan of this chatsim" in " ".join(ran.output.split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((".",), "give a folder, or a history with --history, not both"),
        (("--plan", __file__), "not JSON"),
        (("--open",), "a --history has no page and no other format without --reports"),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    ran = report(tmp_path, EXAMPLE, *words)
    assert ran.exit_code == 2
    assert sentence in " ".join(ran.output.split())


def test_a_place_for_reports_without_a_history() -> None:
    ran = CliRunner().invoke(chatsim, ["report", "--reports", "there"])
    assert ran.exit_code == 2
    assert "--reports says where a --history gets a folder" in " ".join(ran.output.split())


def test_a_plan_without_a_history() -> None:
    ran = CliRunner().invoke(chatsim, ["report", "--plan", __file__])
    assert ran.exit_code == 2
    assert "--plan says what a --history is judged against" in " ".join(ran.output.split())
