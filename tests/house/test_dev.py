"""What `./dev` says where it cannot work. That it works is shown by tests/clean_machine.sh and .ci/run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cksum", "cmp", "dirname", "find", "head", "mkdir", "mv", "readlink", "rm", "sed", "sh")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with `dev`, and a PATH that has the tools of any system but no Python."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy2(ROOT / "dev", folder)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    return folder


def python(clone: Path, script: str) -> None:
    """Put a stand-in for Python on the clone's PATH."""
    path = clone.parent / "bin" / "python3"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def dev(clone: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = str(clone.parent / "bin")
    env = {"PATH": path, "HOME": os.environ.get("HOME", "/"), **env}
    return subprocess.run(
        [clone / "dev", *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_asked_it_says_what_it_does_and_installs_nothing(clone: Path, arguments: tuple[str, ...]) -> None:
    done = dev(clone, *arguments)
    assert done.returncode == 0
    assert not done.stderr
    assert "./dev chatsim run scenarios/basic.yaml" in done.stdout
    assert "set -eu" not in done.stdout


def test_an_option_is_no_command(clone: Path) -> None:
    done = dev(clone, "--verbose")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dev: --verbose is no command; ./dev --help says what it does\n"


def installed(clone: Path, pip: str) -> None:
    """Put a stand-in for Python into an environment of the clone's own; of pip, it does this."""
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / "requirements").mkdir()
    for name in ("run.txt", "test.txt", "dev.txt"):
        (clone / "requirements" / name).touch()
    for part in ("pyproject.toml", "chatsys", "harness"):
        (clone / part).touch()
    path = clone / ".venv" / "bin" / "python"
    path.write_text(f'#!/bin/sh\ncase "$*" in *"-m pip"*) {pip};; esac\n')
    path.chmod(0o755)


def test_a_command_that_does_not_exist_is_a_sentence(clone: Path) -> None:
    installed(clone, "echo chatter; echo a warning >&2")
    done = dev(clone, "nosuchtool")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "dev: installing requirements/dev.txt\n"
        "dev: no command is called nosuchtool, here or in .venv; ./dev --help says what it does\n"
    )


def test_a_slip_installs_nothing_where_an_environment_is(clone: Path) -> None:
    installed(clone, "true")
    assert "installing requirements/run.txt" in dev(clone, "chatsim").stderr
    done = dev(clone, "chatsin")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "dev: no command is called chatsin, here or in .venv; ./dev --help says what it does\n"
    )


@pytest.mark.parametrize("tool", ["hadolint", "lint-imports", "mypy", "ruff", "tox", "head"])
def test_a_tool_is_installed_when_it_is_first_called(clone: Path, tool: str) -> None:
    installed(clone, "true")
    dev(clone, "chatsim")
    assert dev(clone, tool, "/dev/null").stderr.startswith("dev: installing requirements/dev.txt\n")


def test_what_pip_says_is_shown_when_it_fails(clone: Path) -> None:
    installed(clone, "echo no such index >&2; exit 1")
    done = dev(clone, "chatsim")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "dev: installing requirements/run.txt",
        "no such index",
        "dev: requirements/run.txt could not be installed; pip's complaint is above",
    ]


def test_no_python(clone: Path) -> None:
    done = dev(clone, "chatsim")
    assert done.returncode == 3
    assert done.stderr.startswith("dev: no Python of 3.11 or later was found. Install one")


def test_an_old_python(clone: Path) -> None:
    python(clone, "exit 1")
    done = dev(clone, "chatsim", PYTHON=str(clone.parent / "bin" / "python3"))
    assert done.returncode == 3
    assert "is no Python of 3.11 or later" in done.stderr


def test_a_python_without_its_venv_module(clone: Path) -> None:
    python(clone, 'case "$*" in *ensurepip*) exit 1;; *--version*) echo Python 3.11.2;; esac')
    done = dev(clone, "chatsim")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith("apt-get install python3-venv")
    assert not (clone / ".venv").exists()


def test_an_environment_that_was_not_finished_starts_anew(clone: Path) -> None:
    python(clone, 'case "$*" in *"-m venv"*) echo "made $3"; exit 1;; *--version*) echo Python 3.11.2;; esac')
    for _ in range(2):
        done = dev(clone, "chatsim")
        assert done.returncode == 3
        assert done.stdout == f"made {clone / '.venv'}\n"
        assert "could not make .venv; its complaint is above" in done.stderr


def test_an_environment_that_was_moved_starts_anew(clone: Path) -> None:
    python(clone, 'case "$*" in *"-m venv"*) exit 1;; *--version*) echo Python 3.11.2;; esac')
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(clone.parent / "bin" / "python3")
    (clone / ".venv" / "belongs").write_text("/elsewhere /usr/bin/python3\n")
    assert "dev: making .venv with Python 3.11.2" in dev(clone, "chatsim").stderr


def test_what_it_starts_knows_by_what_it_was_started(clone: Path) -> None:
    installed(clone, "true")
    chatsim = clone / ".venv" / "bin" / "chatsim"
    chatsim.write_text('#!/bin/sh\necho "$CHATSIM_DEV"\n')
    chatsim.chmod(0o755)
    assert dev(clone, "chatsim").stdout == f"{clone / 'dev'}\n"
