"""docs/invariants.md says of each kind what its checker says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.judge import ALL_FAMILIES
from harness.judge.family import Family
from harness.model.verdict import FAMILIES

PAGE = (Path(__file__).parents[2] / "docs" / "invariants.md").read_text()


@pytest.mark.parametrize("family", ALL_FAMILIES, ids=lambda family: family.name)
def test_the_page_has_the_table_of_the_checker(family: type[Family]) -> None:
    said = sys.modules[family.__module__].__doc__ or ""
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert "\n".join(rows) in PAGE
    assert {row.split("|")[1].strip() for row in rows[2:]} == set(FAMILIES[family.name])
