"""How Sphinx makes a site of the documentation; `tox run -e docs` runs it.

The pages are plain Markdown that reads well where it lies, and is not changed for the site: what stands in
docs/index.md, section by section, is the contents of the site. A page that it does not list, and a link that leads
nowhere, are errors.
"""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]

project = "chatsim"
release = version = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"]
copyright = "the authors of chatsim"  # noqa: A001 - Sphinx reads this name
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/*/*.md", "scenarios/README.md", "examples/*/README.md"]
exclude_patterns = [".*", "**/node_modules"]

myst_heading_anchors = 4
highlight_language = "none"
# A block may leave things out (`…`), and is then not quite of its language.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"chatsim {version}"
html_show_sphinx = False
html_copy_source = False
templates_path = ["templates"]
html_additional_pages = {"index": "start.html"}
# The gallery of reports, where somebody has made one: `chatsim selftest --pages DIR/gallery`, and DIR here.
html_extra_path = [os.environ["CHATSIM_GALLERY"]] if os.environ.get("CHATSIM_GALLERY") else []


def contents(index: str) -> str:
    """Return the contents of the site, from the sections of docs/index.md and the links in them."""
    trees = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        heading, _, rest = section.partition("\n")
        links = re.findall(r"^(?:\*|\d+\.) \[[^\]]*\]\(([^)#]+)\.md\)", rest, flags=re.MULTILINE)
        pages = [posixpath.normpath(posixpath.join("/docs", link)) for link in links]
        trees.append(
            "\n".join(["```{toctree}", ":hidden:", f":caption: {heading.strip()}", "", *pages, "```", ""])
        )
    return "\n".join(trees)


def _add_contents(_app: object, docname: str, source: list[str]) -> None:
    if docname == root_doc:
        source[0] = f"{source[0]}\n{contents(source[0])}"


def setup(app: Any) -> dict[str, bool]:
    """Add the contents when the first page is read."""
    app.connect("source-read", _add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
