"""`chatsim demo`: works anywhere, shows a pass, a conviction and its page, and what it says to type next works."""

import json
import signal
import subprocess
import sys
import zipfile

import pytest
from click.testing import CliRunner

from harness.cli.commands import chatsim as chatsim_command
from harness.report.schema import report_schema, verdicts_schema
from tests.e2e.conftest import ROOT
from tests.schema.test_reports import complaints
from tests.support import members

BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


@pytest.fixture
def installed(tmp_path):
    """A folder that holds what a wheel of chatsim puts on a machine, and nothing of this repository."""
    words = [sys.executable, "-c", BUILD, tmp_path]
    built = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        wheel.extractall(tmp_path / "installed")
    return tmp_path / "installed"


def test_a_pass_then_a_conviction_and_the_page_from_an_installed_wheel(chatsim, tmp_path, installed):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    ran = subprocess.run(
        [sys.executable, "-m", "harness", "demo", "--open"],
        cwd=elsewhere,
        env={**chatsim.environment, "PYTHONPATH": str(installed), "BROWSER": str(browser)},
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
    assert (tmp_path / "opened").read_text().strip() == page.as_uri()
    assert [path.name for path in elsewhere.iterdir()] == ["reports"]
    # What it says to type next can be typed.
    (told,) = (line.partition("chatsim ")[2].split() for line in lines if "chatsim replay" in line)
    again = CliRunner().invoke(chatsim_command, ["replay", str(elsewhere / told[1]), "--speed", "max"])
    assert again.exit_code == 0, again.output
    assert "✗ never got table" in again.output
    folder = page.parents[1]
    assert folder.name == str((folder.parent / "latest").readlink())
    report = json.loads((folder / "report.json").read_text())
    assert [(row["name"], row["status"]) for row in report["rows"]] == [("good", "pass"), ("broken", "fail")]
    assert complaints(report_schema(), report) == []
    for row in report["rows"]:
        assert not row["leaks"]
        verdicts = json.loads((folder / row["name"] / "verdicts.json").read_text())
        assert complaints(verdicts_schema(), verdicts) == []


def test_ctrl_c_ends_it_in_good_order(chatsim):
    with chatsim.start(
        "demo", "--reports", chatsim.reports, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        for line in process.stdout:
            if line.startswith("2  against"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "interrupted"), out
    (folder,) = chatsim.reports.glob("2*")
    assert members(folder.name.partition("-")[2]) == []


def test_a_place_where_nothing_can_be_written_is_said(chatsim, tmp_path):
    (tmp_path / "file").write_text("")
    ran = chatsim("demo", "--reports", tmp_path / "file" / "reports")
    assert ran.code == 2
    assert "choose another with --reports" in ran.err
