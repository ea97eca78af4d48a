"""What a command that plays stands on: a keeper for its processes, and a folder for what it leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from harness import archive
from harness.cli.failing import CouldNotRunError
from harness.keeper.handle import Keeper, KeeperError
from harness.keeper.launch import Launched


@contextlib.contextmanager
def kept(launched: Launched) -> Iterator[Keeper]:
    """Play with a keeper that is getting ready; however that ends, the keeper is gone then, and all its processes.

    Raises:
        CouldNotRunError: it did not get ready, or ended under us.
    """
    keeper = Keeper(launched)
    try:
        yield keeper
    except KeeperError as fault:
        raise CouldNotRunError(str(fault)) from fault
    finally:
        keeper.abandon()


def folder(root: Path, run: str) -> Path:
    """Make the folder of an invocation below `root`.

    Raises:
        click.UsageError: it cannot be made.
    """
    try:
        return archive.create(root, run)
    except OSError as fault:
        raise click.UsageError(
            f"cannot write to {root}: {fault.strerror}; choose another with --reports"
        ) from fault


def lead_to(made: Path) -> None:
    """Let `latest` lead to this folder; where it cannot, say so."""
    if fault := archive.point_latest(made):
        click.echo(fault, err=True)
