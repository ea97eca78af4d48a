"""The index of a folder of scenarios, scenarios/README.md: made from the files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.model.plan import Plan
from harness.report.text import count

_HEAD = """\
# Scenarios

Made from the files by `chatsim list --md`. `chatsim run FILE` plays one, `chatsim run scenarios` or
`pytest scenarios -n auto` plays them all, `chatsim explain FILE` tells one as a little play.

| scenario | what it shows | clients | tags |
|---|---|---|---|
"""


def index(plans: Sequence[Plan], folder: Path) -> str:
    """Return the page.

    Args:
        plans: in the order of the page; rows of one file are one line.
        folder: where the page will lie: links begin there.
    """
    files: dict[str, list[Plan]] = {}
    for plan in plans:
        files.setdefault(plan.file, []).append(plan)
    return _HEAD + "".join(_line(file, rows, folder) for file, rows in files.items())


def _line(file: str, rows: Sequence[Plan], folder: Path) -> str:
    first = rows[0]
    link = Path(os.path.relpath(file, folder)).as_posix()
    shows = first.title if len(rows) == 1 else f"{first.title} ({count(len(rows), 'run')})"
    cells = (
        f"[{Path(file).stem}]({link})",
        shows.replace("|", r"\|"),
        str(len(first.clients)),
        " ".join(f"`#{tag}`" for tag in first.tags),
    )
    return f"| {' | '.join(cells)} |\n"
