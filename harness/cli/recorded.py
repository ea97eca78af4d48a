"""Finding a recorded run, and which of its scenarios is meant where a command can show one only."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import click

from harness import archive
from harness.archive import ArchiveError
from harness.model.verdict import RunStatus
from harness.report.typed import typed

_GOOD = (RunStatus.PASS, RunStatus.SKIPPED)


def settled(directory: Path) -> Path:
    """Return the folder that is meant by its own name: `reports/latest` leads to another one after the next run."""
    for place in (directory, *directory.parents):
        if place.name == "latest" and place.is_symlink():
            return place.parent / place.readlink() / directory.relative_to(place)
    return directory


def rows(directory: Path) -> Sequence[Path]:
    """Return the folders of the rows of a run, or of the only row that a folder is.

    Raises:
        click.UsageError: no run is there.
    """
    try:
        return archive.rows(directory)
    except ArchiveError as fault:
        run, demo = typed(["chatsim", "run"]), typed(["chatsim", "demo"])
        help_ = "" if directory.exists() else f"; `{run}` makes one, and `{demo}` one to look at"
        raise click.UsageError(f"{fault}{help_}") from fault


def one_row(directory: Path, name: str | None = None) -> Path:
    """Return the folder of the row that is meant.

    Args:
        directory: the folder of a run, or of a row.
        name: the row's name or that of its folder; None: the only row, or the only one that did not pass.

    Raises:
        click.UsageError: no run is there, no row is called so, or several could be meant.
    """
    folders = rows(directory)
    names = [folder.name for folder in folders]
    if name is not None:
        wanted = archive.row_name(name)
        if wanted in names:
            return folders[names.index(wanted)]
        near = difflib.get_close_matches(wanted, names, 1)
        help_ = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise click.UsageError(f"{directory} has no scenario called {name}; {help_}")
    bad = [folder for folder in folders if _status(folder) not in _GOOD]
    meant: Sequence[Path] = folders if len(folders) == 1 else bad
    if len(meant) != 1:
        among = bad or folders
        raise click.UsageError(
            f"{directory} has several scenarios; name one, or its folder: "
            + ", ".join(folder.name for folder in among)
        )
    return meant[0]


def _status(folder: Path) -> str:
    """Return how a row ended, as far as its folder says; empty when it does not."""
    for file in ("env.json", "verdicts.json"):
        try:
            if status := archive.read_json(folder / file).get("status"):
                return str(status)
        except ArchiveError:
            continue
    return ""
