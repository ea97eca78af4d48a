"""What `./dev` says where it cannot work. That it works is shown by tests/clean_machine.sh and .ci/run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("cksum", "cmp", "dirname", "find", "head", "mkdir", "mv", "readlink", "rm", "sed", "sh")


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


def test_without_arguments_it_says_what_it_does(clone: Path) -> None:
    done = dev(clone)
    assert done.returncode == 2
    assert "./dev chatsim run scenarios/basic.yaml" in done.stdout
    assert "set -eu" not in done.stdout


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
