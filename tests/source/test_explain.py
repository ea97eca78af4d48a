"""The screenplay of each scenario that ships, and of one that uses every word of the language.

`ACCEPT=1 pytest tests/source` writes what is said now. A scenario without a file in `explained/` is no concern of
these tests: an empty one asks for its screenplay.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.source import explain, load
from tests.support import shipped

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
FILES = [*shipped(), HERE / "explained" / "every_word.yaml"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_screenplay_is_what_was_accepted(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    loaded = load([str(path.relative_to(ROOT))])
    assert loaded.diagnostics == ()
    text = explain(loaded.plans[0], [plan.name for plan in loaded.plans])
    golden = HERE / "explained" / f"{path.stem}.txt"
    if os.environ.get("ACCEPT"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
