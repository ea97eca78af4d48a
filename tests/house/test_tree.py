"""Rules of the house that no linter knows: file sizes, addresses, paths of machines, pins."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"build", "dist", "node_modules", "reports", "__pycache__"}
MADE_BY_PROGRAMS = ("chatsys/v1/", "requirements/", "schema/", "docs/scenarios.md", "proto/baseline.binpb")

#: Whom a file may name by address. Whoever installs chatsim chooses where packages come from.
KNOWN_HOSTS = {
    "127.0.0.1",
    "::1",
    "localhost",
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "www.w3.org",
}


def files() -> list[str]:
    """Every file that belongs to the repository, as a path from its root."""
    found = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        own = not any(part in LEFT_OUT or (part.startswith(".") and part != ".ci") for part in parts[:-1])
        if own and path.is_file() and path.suffix != ".pyc":
            found.append("/".join(parts))
    return sorted(found)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(errors="replace")


WRITTEN = [name for name in files() if not name.startswith(MADE_BY_PROGRAMS) and "/golden/" not in name]


def test_no_file_is_a_giant() -> None:
    giants = {name: text_of(name).count("\n") for name in WRITTEN}
    giants = {name: lines for name, lines in giants.items() if lines > 400}
    assert not giants, f"over 400 lines, one noun a file: {giants}"


def test_no_file_names_a_place_on_one_machine() -> None:
    place = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users|opt)/[\w.]")
    named = [
        f"{name}: {line.strip()}"
        for name in files()
        if name != "tests/house/test_tree.py"
        for line in text_of(name).splitlines()
        if place.search(line)
    ]
    assert not named, named


def test_no_file_names_an_unknown_host() -> None:
    url = re.compile(r"\b[a-z][a-z+.]*://(?:[^\s/@\"'`]*@)?\[?([\w.:-]*[\w])\]?(?=[/:?#\s\"'`)<>,.;]|$)")
    named = [
        f"{name}: {host}"
        for name in files()
        for host in url.findall(text_of(name))
        if re.sub(r":\d+$", "", host) not in KNOWN_HOSTS
    ]
    assert not named, named
