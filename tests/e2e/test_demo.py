"""`chatsim demo`: works anywhere, shows a pass, a conviction and its page, and what it says to type next works."""

import json
import subprocess
import sys

from harness.report.schema import report_schema, verdicts_schema
from tests.schema.test_reports import complaints


def test_a_pass_then_a_conviction_and_the_page(chatsim, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "harness", "demo"],
        cwd=elsewhere,
        env=chatsim.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.endswith("12 checks")] == ["PASS", "FAIL"]
    said = " ".join(ran.stdout.split())
    assert "bob never got `table`, which alice sent and the server acknowledged. Nobody had to" in said
    page = elsewhere / lines[-1].split()[-1]
    assert "never got `table`" in page.read_text()
    assert [path.name for path in elsewhere.iterdir()] == ["reports"]
    folder = page.parents[1]
    assert folder.name == str((folder.parent / "latest").readlink())
    report = json.loads((folder / "report.json").read_text())
    assert [(row["name"], row["status"]) for row in report["rows"]] == [("good", "pass"), ("broken", "fail")]
    assert complaints(report_schema(), report) == []
    for row in report["rows"]:
        assert not row["leaks"]
        verdicts = json.loads((folder / row["name"] / "verdicts.json").read_text())
        assert complaints(verdicts_schema(), verdicts) == []


def test_a_place_where_nothing_can_be_written_is_said(chatsim, tmp_path):
    (tmp_path / "file").write_text("")
    ran = chatsim("demo", "--reports", tmp_path / "file" / "reports")
    assert ran.code == 2
    assert "choose another with --reports" in ran.err
