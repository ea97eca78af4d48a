"""Follows each page of docs/tutorial/ from top to bottom, in one folder.

A block whose info string says `title="FILE"` is written to that file when the page comes to it; console blocks are
played, and must print what the page shows, as in `test_readme`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_readme import ROOT, Block, assert_shown, blocks

PAGES = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
FILE = re.compile(r'^```\w+ title="([\w.]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def files(page: Path) -> list[tuple[int, str, str]]:
    """(line, name, content) of each block that is a file."""
    text = page.read_text()
    return [(text[: found.start()].count("\n") + 1, found[1], found[2]) for found in FILE.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_can_be_followed(page: Path, tmp_path: Path) -> None:
    pieces: list[tuple[int, Block | tuple[str, str]]] = [(block.line, block) for block in blocks(page)]
    assert pieces
    pieces += [(line, (name, content)) for line, name, content in files(page)]
    for _, piece in sorted(pieces, key=lambda each: each[0]):
        if isinstance(piece, Block):
            assert_shown(piece, tmp_path)
        else:
            (tmp_path / piece[0]).write_text(piece[1])
