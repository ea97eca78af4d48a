"""What a shell completes, asked as each shell asks; and the table of commands that `--help` shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.commands import COMMANDS, GROUPS, chatsim

ROOT = Path(__file__).resolve().parents[2]
SUITE = (ROOT / "docs" / "suite.md").read_text()


def completed(shell: str, line: str, folder: Path = ROOT) -> list[str]:
    """The words that a shell is offered at the end of a line; what stands for files is `file`."""
    words = line.split(" ")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_CHATSIM_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": words[-1] if shell == "fish" else str(len(words) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-m", "harness"], cwd=folder, env=env, capture_output=True, text=True, check=True
    )
    if shell == "bash":
        return [item.partition(",")[2] for item in done.stdout.splitlines() if item]
    if shell == "zsh":
        return done.stdout.splitlines()[1::3]
    return [re.split(r"[,\t]", item)[1] for item in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_and_options(shell):
    assert completed(shell, "chatsim re") == ["report", "replay"]
    assert completed(shell, "chatsim run --rep") == ["--reports", "--repeat"]


def test_scenarios_tags_and_rows(tmp_path):
    assert completed("bash", "chatsim run scen") == ["scen"]  # of type file: the shell takes over
    (tmp_path / "scenarios").mkdir()
    basic = (ROOT / "scenarios" / "basic.yaml").read_text()
    (tmp_path / "scenarios" / "a.yaml").write_text(f"{basic}\ntags: [smoke, slow]\n")
    assert completed("bash", "chatsim run '#s", tmp_path) == ["#slow", "#smoke"]
    for row in ("basic[poll]", "basic[stream]", "crash"):
        (tmp_path / "reports" / "latest" / row).mkdir(parents=True)
        (tmp_path / "reports" / "latest" / row / "plan.json").write_text("{}")
    assert completed("bash", "chatsim replay --row b", tmp_path) == ["basic[poll]", "basic[stream]"]
    assert completed("bash", "chatsim replay --row b", tmp_path / "scenarios") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_that_the_docs_show_is_a_script_of_that_shell(shell):
    (line,) = re.findall(rf"^\| {shell} \| `(.*)` \|$", SUITE, re.MULTILINE)
    assert f"_CHATSIM_COMPLETE={shell}_source chatsim" in line
    env = {**os.environ, "_CHATSIM_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-m", "harness"], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert f"_CHATSIM_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


def test_help_lists_every_command_under_its_heading():
    shown = CliRunner().invoke(chatsim, ["--help"]).output
    places = [shown.index(f"\n{heading}:\n") for heading in GROUPS]
    assert places == sorted(places)
    for name, (_, summary) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", shown, re.MULTILINE), name
    readme = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"`chatsim {name}" in readme, f"README.md lists no chatsim {name}"


def test_each_command_shows_examples_that_it_takes():
    for name in COMMANDS:
        shown = CliRunner().invoke(chatsim, [name, "--help"]).output
        assert f"Examples:\n    chatsim {name}" in shown, name


def test_help_imports_no_command():
    program = (
        "import sys; from harness.cli.invoke import invoke; invoke(['--help']);"
        "dear = {'yaml', 'asyncio', 'grpc', 'harness.cli.run', 'harness.report.model'};"
        "sys.exit(bool(dear & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)
