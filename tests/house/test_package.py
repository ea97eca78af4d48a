"""What is handed to others: one wheel with all packages, their types and their commands."""

from __future__ import annotations

import configparser
import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, folder], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return zipfile.ZipFile(folder / done.stdout.split()[-1])


def test_the_wheel_holds_all_packages_typed(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"chatsys/py.typed", "harness/py.typed"} <= names
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("chatsys", "gallery", "harness")
        for path in (ROOT / package).rglob("*.*")
        if path.suffix in (".py", ".pyi", ".js", ".css", ".jinja", ".yaml")
    }
    assert sources <= names


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chatsys", "gallery", "harness"}


def test_the_wheel_holds_what_the_selftest_plays(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    own = {f"gallery/scenarios/{path.name}" for path in (ROOT / "gallery" / "scenarios").glob("*.yaml")}
    shipped = {f"gallery/shipped/{path.name}" for path in (ROOT / "scenarios").glob("*.yaml")}
    assert own | shipped <= names


def test_the_commands_exist(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entry_points = configparser.ConfigParser()
    entry_points.read_string(wheel.read(name).decode())
    commands = dict(entry_points["console_scripts"])
    assert set(commands) == {"chatsim", "chatsys"}
    for target in commands.values():
        module, _, function = target.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
