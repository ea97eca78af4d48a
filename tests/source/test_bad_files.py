"""Golden pairs in tests/bad: a scenario with faults, and every word said about it.

`ACCEPT=1 pytest tests/source` writes what is said now; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.source import Loaded, closing_line, load, render
from harness.source.codes import CODES

TESTS = Path(__file__).parent.parent
BAD = sorted((TESTS / "bad").glob("*.yaml"))

#: Faults of files that cannot lie in a repository, or need not: tests/source/test_files.py has them.
ELSEWHERE = {"no-such-file", "unreadable", "no-scenarios", "not-utf-8"}


def said(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Loaded, str]:
    monkeypatch.chdir(TESTS)
    loaded = load([str(path.relative_to(TESTS))])
    text = render(loaded.diagnostics, color=False, sources=loaded.sources)
    return loaded, f"{text}\n{closing_line(loaded.diagnostics)}\n"


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_is_said_is_what_was_accepted(path, monkeypatch):
    loaded, text = said(path, monkeypatch)
    golden = path.with_suffix(".txt")
    if os.environ.get("ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert loaded.diagnostics
    assert loaded.failed != bool(loaded.plans), (
        "a plan comes of a file without errors, and only of such a file"
    )
    assert {item.code for item in loaded.diagnostics} <= CODES.keys()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_place_is_in_the_file_and_in_order(path, monkeypatch):
    loaded, _ = said(path, monkeypatch)
    lines = path.read_text(encoding="utf-8").splitlines()
    for item in loaded.diagnostics:
        for line, column, width in ((item.line, item.column, item.width), *(note[:3] for note in item.notes)):
            if line:
                assert 1 <= column <= len(lines[line - 1]) + 1
                assert width >= 1
    places = [(item.line, item.column) for item in loaded.diagnostics]
    assert places == sorted(places)


def test_every_code_has_a_file(monkeypatch):
    seen = {item.code for path in BAD for item in said(path, monkeypatch)[0].diagnostics}
    assert seen == CODES.keys() - ELSEWHERE


def test_no_golden_without_a_file():
    assert {path.stem for path in (TESTS / "bad").glob("*.txt")} == {path.stem for path in BAD}


def test_all_faults_of_all_files_in_one_go(monkeypatch):
    monkeypatch.chdir(TESTS)
    loaded = load(["bad/typos.yaml", "../scenarios/basic.yaml", "bad/units.yaml", "bad/nothing-here.yaml"])
    assert {item.file for item in loaded.diagnostics} == {
        "bad/typos.yaml",
        "bad/units.yaml",
        "bad/nothing-here.yaml",
    }
    assert [plan.name for plan in loaded.plans] == ["basic[stream]", "basic[poll]"]
    assert loaded.failed
    assert closing_line(loaded.diagnostics).startswith("3 files: ")
    assert closing_line(loaded.diagnostics).endswith(" problems, nothing was started")
