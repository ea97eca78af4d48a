"""Loading scenarios for a command: plans, or every fault of every file and exit 2."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from harness.cli.exit_codes import ExitCode
from harness.model.plan import Plan
from harness.report.look import ColorFlag, wants_color
from harness.report.text import safe
from harness.source.diagnostic import closing_line, render
from harness.source.loader import Loaded, load


def load_or_exit(
    paths: Sequence[str],
    *,
    seed: int | None = None,
    drawn_seed: int | None = None,
    color: ColorFlag = "auto",
) -> tuple[Plan, ...]:
    """Return the plans of all scenario files in `paths`, as `loaded_or_exit` does."""
    return loaded_or_exit(paths, seed=seed, drawn_seed=drawn_seed, color=color).plans


def loaded_or_exit(
    paths: Sequence[str],
    *,
    seed: int | None = None,
    drawn_seed: int | None = None,
    color: ColorFlag = "auto",
    strict: bool = False,
) -> Loaded:
    """Return what comes of all scenario files in `paths`: plans, and perhaps warnings, which were shown.

    Diagnostics go to standard error. With any fault in any file, all faults of all files are shown, and the
    command ends with code 2; with no scenario at all it ends with code 5.

    Args:
        paths: files, folders and tags as named on the command line.
        seed: overrides that of the files; files without one then share a new one.
        drawn_seed: that new one; drawn here when it is None.
        color: whether diagnostics have colour.
        strict: a warning is a fault, too.
    """
    drawn = draw_seed() if drawn_seed is None else drawn_seed
    loaded = load(paths, seed=seed, drawn_seed=drawn)
    if loaded.diagnostics:
        colored = wants_color(sys.stderr, os.environ, color)
        click.echo(render(loaded.diagnostics, color=colored, sources=loaded.sources), err=True)
        refused = ", and `--strict` takes none" if strict and not loaded.failed else ""
        click.echo(closing_line(loaded.diagnostics) + refused, err=True)
    if loaded.failed or (strict and loaded.diagnostics):
        raise click.exceptions.Exit(int(ExitCode.USAGE))
    if loaded.nothing:
        there = f"; the tags there are: {' '.join(f'#{tag}' for tag in loaded.tags)}" if loaded.tags else ""
        click.echo(safe(f"nothing to run: no scenario is meant by {' '.join(paths)}{there}"), err=True)
        raise click.exceptions.Exit(int(ExitCode.NOTHING))
    return loaded


def draw_seed() -> int:
    """Return a new seed, small enough to be typed."""
    return int.from_bytes(os.urandom(4), "big") >> 1
