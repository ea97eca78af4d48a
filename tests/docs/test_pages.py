"""The docs hold together: links lead somewhere, pages are found from the index, lists are complete."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown viewer makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def targets(page: Path) -> list[tuple[Path, str]]:
    """Where the page's relative links lead: file and anchor."""
    found = []
    for link in LINK.findall(prose(page)):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            found.append(((page.parent / file).resolve() if file else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for file, anchor in targets(page):
        assert file.exists(), f"{page.name} links to {file.name}, which is not there"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to #{anchor}, which {file.name} does not have"


def test_every_page_is_found_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {file for file, _ in targets(index)}
    missing = [page.name for page in sorted(DOCS.rglob("*.md")) if page != index and page not in linked]
    assert not missing, f"docs/index.md lists no {', '.join(missing)}"


def test_decisions_have_the_usual_form_and_no_gap_in_their_numbers() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for record in records:
        text = record.read_text()
        headings = re.findall(r"^## (\w+)$", text, flags=re.MULTILINE)
        assert headings[:4] == ["Status", "Context", "Decision", "Consequences"], record.name
        assert text.startswith(f"# {int(record.name[:4])}. "), record.name


@pytest.mark.parametrize("package", ["chatsys", "harness"])
def test_the_architecture_names_every_room_of_the_house(package: str) -> None:
    text = (DOCS / "architecture.md").read_text()
    for folder in sorted((ROOT / package).iterdir()):
        if folder.is_dir() and any(folder.glob("*.py")):
            assert f"{folder.name}/" in text, f"docs/architecture.md says nothing of {package}/{folder.name}/"


def test_every_environment_is_described_and_in_contributing() -> None:
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    for section in tox.sections():
        if section.startswith("testenv:"):
            assert tox[section].get("description"), section
            assert f"`{section.removeprefix('testenv:')}`" in contributing, (
                f"CONTRIBUTING.md has no {section}"
            )


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
