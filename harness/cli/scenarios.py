"""Loading scenarios for a command: plans, or every fault of every file and exit 2."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sequence

import click

from harness.cli.exit_codes import ExitCode
from harness.model.plan import Plan
from harness.report.look import ColorFlag, wants_color
from harness.source import load, render


def load_or_exit(
    paths: Sequence[str], *, seed: int | None = None, color: ColorFlag = "auto"
) -> tuple[Plan, ...]:
    """Return the plans of all scenario files in `paths`.

    Warnings go to standard error. With any fault in any file, all faults of all files go there, and the command
    ends with code 2; with no scenario at all it ends with code 5.

    Args:
        paths: files and folders as named on the command line.
        seed: overrides that of the files; files without one then share a new one.
        color: whether diagnostics have colour.
    """
    loaded = load(paths, seed=seed, new_seed=secrets.randbelow(2**31))
    if loaded.diagnostics:
        shown = render(
            loaded.diagnostics, color=wants_color(sys.stderr, os.environ, color), sources=loaded.sources
        )
        click.echo(shown, err=True)
    if loaded.faulty:
        raise click.exceptions.Exit(int(ExitCode.USAGE))
    if not loaded.plans:
        click.echo("nothing to run: no scenario in " + ", ".join(paths), err=True)
        raise click.exceptions.Exit(int(ExitCode.NOTHING))
    return loaded.plans
