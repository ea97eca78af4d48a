"""The pins in requirements/: complete, hashed, without addresses, and in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]

#: File -> the dependency groups it pins; all but those alone hold the project's own dependencies too.
SETS = {"run": ["build"], "test": ["build", "test"], "dev": ["dev"], "docs": ["docs"], "proto": ["proto"]}
ALONE = {"docs", "proto"}


def versions(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, flags=re.MULTILINE))


def wanted(group: str) -> list[Requirement]:
    found = []
    for entry in GROUPS[group]:
        found += wanted(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


@pytest.mark.parametrize("pins", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_pins_have_hashes_and_no_addresses(pins: Path) -> None:
    text = pins.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-[-\w]*(index|find-links|trusted)", text, flags=re.MULTILINE)
    for entry in re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]:
        assert re.match(r"[\w.\[\]-]+==\S+ ", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_sets_of_pins_agree() -> None:
    """`./dev` adds one set to another in one environment: a version must not change under way."""
    run, test, dev = (versions(name).items() for name in ("run", "test", "dev"))
    assert run < test < dev


@pytest.mark.parametrize("name", SETS)
def test_pins_are_in_step_with_the_project(name: str) -> None:
    requirements = [requirement for group in SETS[name] for requirement in wanted(group)]
    if name not in ALONE:
        requirements += [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    pinned = versions(name)
    for requirement in requirements:
        version = pinned.get(requirement.name)
        assert version, f"requirements/{name}.txt has no {requirement.name}: run `tox run -e pins`"
        assert version in requirement.specifier, f"{requirement}, pinned {version}: run `tox run -e pins`"
