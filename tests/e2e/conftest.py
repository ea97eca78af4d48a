"""Running the real command, with its folder of reports and its scratch space in the test's own folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass
class Ran:
    """A finished `chatsim` and what it left."""

    code: int
    out: str
    err: str
    reports: Path

    @property
    def text(self):
        """What it said, as one line: where lines are folded is not what these tests are about."""
        return " ".join(self.out.split())

    @property
    def folder(self):
        return self.reports / "latest"

    @property
    def rows(self):
        return sorted(path.parent.name for path in self.folder.glob("*/plan.json"))

    def row(self, name=None):
        rows = sorted(path.parent for path in self.folder.glob("*/plan.json"))
        return next(row for row in rows if name in (None, row.name))

    def history(self, name=None):
        lines = (self.row(name) / "history.jsonl").read_text().splitlines()[1:]
        return [json.loads(line) for line in lines]

    def verdicts(self, name=None):
        return json.loads((self.row(name) / "verdicts.json").read_text())

    def kinds(self, name=None):
        """Kinds of invariant violations."""
        verdicts = self.verdicts(name)["verdicts"]
        return {
            v["kind"]
            for verdict in verdicts
            if verdict["group"] == "invariant"
            for v in verdict["violations"]
        }

    def __str__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Chatsim:
    """Runs `chatsim` in the repository, as a user would."""

    def __init__(self, folder):
        self.before = ()
        """Words before the command: who runs it."""
        self.reports = folder / "reports"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()

    @property
    def environment(self):
        quiet = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")}
        return {**quiet, "TMPDIR": str(self.scratch), "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}

    def command(self, *arguments):
        words = [*self.before, sys.executable, "-m", "harness", *map(str, arguments)]
        return [*words, "--reports", str(self.reports)] if arguments[0] == "run" else words

    def start(self, *arguments, **options):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            text=True,
            **options,
        )

    def __call__(self, *arguments, timeout=300):
        with self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                pytest.fail(f"chatsim had not ended after {timeout} s; it said\n{out}\n{err}")
        ran = Ran(process.returncode, out, err, self.reports)
        # Pytest shortens what an assertion is about; this it shows whole, and only of a test that failed.
        sys.stdout.write(f"{ran}\n")
        assert "Traceback" not in err, err
        assert "Traceback" not in out, out
        return ran


@pytest.fixture
def chatsim(tmp_path):
    runner = Chatsim(tmp_path)
    yield runner
    assert not list(runner.scratch.iterdir()), "a temporary directory was left behind"


@pytest.fixture
def scenario(tmp_path):
    """Write a scenario file and return its path."""

    def write(text, name="made.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
