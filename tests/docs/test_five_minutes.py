"""Follows "A scenario in five minutes" of CONTRIBUTING.md to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "CONTRIBUTING.md").read_text().split("## A scenario in five minutes\n")[1].split("\n## ")[0]
COMMANDS = re.findall(r"`(\./dev [^`]+)`", SECTION)
STEPS, INBOXES = (
    textwrap.dedent(block)
    for block in re.findall(r"^ *```yaml\n(.*?)^ *```$", SECTION, flags=re.MULTILINE | re.DOTALL)
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the commands touch; its `./dev` uses the environment of the tests."""
    for part in ("scenarios", "schema"):
        # Whoever follows the recipe in this clone may have written the file already.
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("mine.yaml"))
    dev = tmp_path / "dev"
    dev.write_text(f"""#!/bin/sh
case $1 in
    chatsim) shift; exec {sys.executable} -m harness "$@" ;;
    *) exec {sys.executable} -m "$@" ;;
esac
""")
    dev.chmod(0o755)
    return tmp_path


def run(clone: Path, command: str) -> subprocess.CompletedProcess[str]:
    quiet = {
        key: value for key, value in os.environ.items() if key not in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR")
    }
    return subprocess.run(
        ["sh", "-c", command],
        cwd=clone,
        env={**quiet, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def passing_tests_that_look_at_scenarios(clone: Path) -> None:
    """Run, in this clone, the tests that go over the folder `scenarios`: of what is new there they are for it."""
    shutil.copy(ROOT / "pyproject.toml", clone)
    for part in ("chatsys", "harness"):
        (clone / part).symlink_to(ROOT / part)
    shutil.copytree(ROOT / "tests", clone / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    pytest_ = "./dev pytest -p no:cacheprovider -n 0 -v"
    done = run(
        clone,
        f"{pytest_} tests/source/test_explain.py tests/schema/test_schema.py tests/cli/test_new.py "
        "tests/source/test_mutants.py -k 'mine or screenplay or index_of or (names and schema)'",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_shipped_scenarios_are_valid_and_name_the_schema[mine] PASSED" in done.stdout
    assert "test_the_screenplay_is_what_was_accepted[mine]" not in done.stdout
    for path in (clone / "scenarios").glob("*.yaml"):  # those that are played together with it
        if path.stem != "mine":
            path.unlink()
    done = run(clone, f"{pytest_} tests/e2e/test_scenarios.py tests/foreign -k mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail_without_any_one_delivery[mine] PASSED" in done.stdout


def test_following_it_makes_a_scenario_that_passes_and_can_fail(clone: Path) -> None:
    assert [command.split()[1:3] for command in COMMANDS] == [
        ["chatsim", "new"],
        ["chatsim", "explain"],
        ["chatsim", "run"],
        ["chatsim", "list"],
        ["pytest", "scenarios"],
    ]
    new, explain, play, index, suite = COMMANDS
    assert run(clone, play).returncode == 2, "there is nothing to play yet"
    done = run(clone, new)
    assert done.returncode == 0, done.stderr
    path = clone / "scenarios" / "mine.yaml"
    assert run(clone, play).returncode == 0, "what is written passes as it is"

    before, _, after = path.read_text().partition("inboxes:")
    comment = after[after.index("\n\n#") :]
    path.write_text(before + textwrap.indent(textwrap.dedent(STEPS), "  ") + "\n" + INBOXES + comment)
    told = run(clone, explain)
    assert told.returncode == 0, told.stderr
    assert not told.stderr
    assert "chad says “I am back!”" in told.stdout
    played = run(clone, play)
    assert played.returncode == 0, played.stdout
    assert "2 messages" in played.stdout

    whole = path.read_text()
    path.write_text(whole.replace("bob: [hello, back]", "bob: [hello]"))
    assert path.read_text() != whole
    broken = run(clone, play)
    assert broken.returncode == 1
    assert "inbox of bob: bob got `back`" in broken.stdout
    path.write_text(whole)

    assert run(clone, index).returncode == 0
    assert "| [mine](mine.yaml) | Chad is back | 3 |" in (clone / "scenarios" / "README.md").read_text()
    passing_tests_that_look_at_scenarios(clone)
    collected = run(clone, f"{suite} --collect-only -q -n 0")
    assert "scenarios/mine.yaml::mine" in collected.stdout, collected.stdout + collected.stderr
