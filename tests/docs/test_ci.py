"""What others paste from docs/ci.md, and the action and the hook behind it: all is read, and what can be is run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from harness.cli.commands import chatsim

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text()
BLOCKS = [
    yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
GOOD = (ROOT / "scenarios" / "basic.yaml").read_text()


def texts(part: Any) -> Iterator[str]:
    """Every text in a block."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from texts(inner)


def test_every_command_in_a_block_is_one_of_chatsim():
    commands = [text for block in BLOCKS for text in texts(block) if text.startswith("chatsim ")]
    assert commands
    for text in commands:
        _, name, *words = shlex.split(text)
        command = chatsim.get_command(click.Context(chatsim), name)
        assert command is not None, text
        command.make_context(name, words)  # raises when an option is unknown


def test_the_page_uses_inputs_and_hooks_that_there_are():
    (job,) = BLOCKS[0]["jobs"].values()
    step = next(step for step in job["steps"] if "chatsim" in step["uses"])
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert BLOCKS[2]["repos"][0]["hooks"] == [{"id": HOOK["id"]}]


def test_the_action_is_one():
    assert set(ACTION) == {"name", "description", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    for part in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert part["description"]
    for step in ACTION["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        if "run" in step:
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "an input in a script is a command in waiting"
    named = re.findall(r"inputs\.(\w+)", (ROOT / "action.yml").read_text())
    assert set(named) == set(ACTION["inputs"])


@pytest.fixture
def play(tmp_path):
    """Runs the action's script as the runner does, with a chatsim that says how it was called."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "chatsim"
    stub.write_text(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > called\nmkdir -p out/run-1 && ln -sfn run-1 out/latest\nexit ${CODE:-0}\n"
    )
    stub.chmod(0o755)
    script = next(step["run"] for step in ACTION["runs"]["steps"] if step.get("id") == "run")

    def run(**inputs: str) -> tuple[int, list[str], str]:
        values = {name: str(part.get("default", "")) for name, part in ACTION["inputs"].items()} | inputs
        env = {name.upper(): value for name, value in values.items()}
        env |= {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "GITHUB_OUTPUT": str(tmp_path / "outputs")}
        env["CODE"] = inputs.get("code", "0")
        (tmp_path / "outputs").write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=env,
            check=False,
        )
        return (
            done.returncode,
            (tmp_path / "called").read_text().splitlines(),
            (tmp_path / "outputs").read_text(),
        )

    return run


def test_the_action_passes_on_what_it_is_given(play):
    code, called, outputs = play(
        paths="scenarios\n#smoke\nmy plays/a.yaml",
        server="./server --port {port}; echo",
        driver="./d x",
        reports="out",
    )
    assert code == 0
    assert called == [
        *("run", "--reports", "out", "--speed", "max", "--server", "./server --port {port}; echo"),
        *("--driver", "./d x", "--", "scenarios", "#smoke", "my plays/a.yaml"),
    ]
    assert outputs == "report=out/run-1\njunit=out/run-1/junit.xml\n"


def test_the_action_ends_as_chatsim_does_and_still_says_where_the_report_is(play):
    code, called, outputs = play(code="4", reports="out", options="")
    assert code == 4
    assert called == ["run", "--reports", "out", "--", "scenarios"]
    assert "report=out/run-1" in outputs


def test_the_words_of_the_action_are_those_of_chatsim_run(play):
    _, called, _ = play(server="x", driver="y", reports="out")
    command = chatsim.get_command(click.Context(chatsim), "run")
    assert command is not None
    assert command.make_context("run", called[1:]).params["paths"] == ("scenarios",)


@pytest.mark.parametrize(("text", "code"), [(GOOD, 0), (GOOD.replace("connect:", "conect:"), 2)])
def test_the_hook_finds_mistakes_in_what_was_changed(tmp_path, text, code):
    changed = Path("chat/scenarios/mine.yaml")
    assert re.search(HOOK["files"], str(changed))
    assert not re.search(HOOK["files"], "config/other.yaml")
    (tmp_path / changed).parent.mkdir(parents=True)
    (tmp_path / changed).write_text(text)
    program, *words = shlex.split(HOOK["entry"])
    assert program == "chatsim"
    done = subprocess.run(
        [Path(sys.executable).parent / program, *words, changed],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert (f"{changed}:" in done.stderr) == bool(code)
    assert done.stdout == ""
