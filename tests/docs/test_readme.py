"""Runs every console block of the README and the docs: it must print what the page shows.

A block is played in one shell, in a folder that has the scenarios and nothing else. What differs from run to
run (times, seeds, names of report folders) is replaced by `[..]` on both sides, and runs of blanks by one. In what
a page shows, `[..]` stands for anything within a line and a line `...` for any number of lines. A command must
succeed unless the block goes on with `$ echo $?`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "tutorial"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]

#: Not run here: they make environments or run this very suite. `.ci/run` runs them.
LEFT_TO_CI = re.compile(r"\./dev (test|tox|setup)\b|git clone\b|cd chatsim\b")

VARYING = (
    (re.compile(r"\b\d+\.\d+ s\b"), "[..] s"),
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]+\b"), "[..]"),
    (re.compile(r"(?<=\bseed )( *)\d+"), "[..]"),
    (re.compile(r" {2,}"), " "),
)

END = "\x1e"


@dataclass
class Command:
    """One `$` line of a block and what the page shows below it."""

    text: str
    shown: list[str] = field(default_factory=list)


@dataclass
class Block:
    """One console block of a page."""

    page: Path
    line: int
    commands: list[Command]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    found: list[Block] = []
    commands: list[Command] | None = None
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        if commands is None:
            if line.strip() == "```console":
                commands = []
                found.append(Block(page, number, commands))
        elif line.strip() == "```":
            commands = None
        elif line.startswith("$ "):
            commands.append(Command(line[2:]))
        else:
            assert commands, f"{page.name}:{number}: a console block begins with a `$ ` line"
            commands[-1].shown.append(line)
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]
for block in BLOCKS:
    block.commands = [command for command in block.commands if not LEFT_TO_CI.match(command.text)]


def steady(line: str) -> str:
    """The line without what differs from run to run."""
    for pattern, instead in VARYING:
        line = pattern.sub(instead, line)
    return line.rstrip()


def matches(shown: list[str], printed: list[str]) -> bool:
    pattern = ""
    for line in shown:
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += "[^\n]*".join(re.escape(part) for part in steady(line).split("[..]")) + "\n"
    return re.fullmatch(pattern, "".join(steady(line) + "\n" for line in printed)) is not None


def play(block: Block, folder: Path) -> list[tuple[int, list[str]]]:
    """Run the block's commands in one shell; return exit status and lines of each."""
    shutil.copytree(ROOT / "scenarios", folder / "scenarios", dirs_exist_ok=True)
    dev = folder / "dev"
    dev.write_text(
        '#!/bin/sh\nCHATSIM_DEV=$0 exec "$@"\n'
    )  # the environment is there already: the one of the tests
    dev.chmod(0o755)
    script = "".join(
        f"{command.text}\nstatus=$?; printf '\\036%s\\n' $status; (exit $status)\n"
        for command in block.commands
    )
    env = {
        key: value for key, value in os.environ.items() if key not in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR")
    }
    env |= {"PATH": f"{Path(sys.executable).parent}:{env['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(
        ["sh"],
        input=script,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    parts = re.split(rf"{END}(\d+)\n", done.stdout)
    return [(int(parts[i + 1]), parts[i].splitlines()) for i in range(0, len(parts) - 1, 2)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.commands], ids=str)
def test_a_page_shows_what_happens(block: Block, tmp_path: Path) -> None:
    assert_shown(block, tmp_path)


def assert_shown(block: Block, folder: Path) -> None:
    """Play a block: every command must print what the page shows, and succeed unless the page says otherwise."""
    results = play(block, folder)
    assert len(results) == len(block.commands), f"{block}: the shell stopped early: {results}"
    following = [*(command.text for command in block.commands[1:]), ""]
    for command, (status, printed), next_text in zip(block.commands, results, following, strict=True):
        actual = "\n".join(printed)
        assert matches(command.shown, printed), f"{block}: `{command.text}` printed\n{actual}"
        assert status == 0 or next_text == "echo $?", f"{block}: `{command.text}` ended {status}\n{actual}"


def test_the_two_commands_of_the_readme() -> None:
    commands = [command.text for block in blocks(ROOT / "README.md") for command in block.commands]
    assert commands[:2] == ["./dev chatsim run scenarios/basic.yaml", "./dev test"]
    assert "\n./dev test\n" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["ok [..] s"], ["ok 0.31 s"], True),
        (["ok [..] s"], ["ok 0.31 ms"], False),
        (["ok    0.31 s"], ["ok   10.20 s"], True),
        (["seed 12, reports/20260704T153012Z-3f9a"], ["seed 7, reports/20261122T180738Z-d6d5"], True),
        (["2 messages"], ["3 messages"], False),
        (["a", "...", "z"], ["a", "z"], True),
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
        (["(a+)"], ["(a+)   "], True),
    ],
)
def test_the_comparison(shown: list[str], printed: list[str], same: bool) -> None:
    assert matches(shown, printed) is same
