"""`chatsys restore`: put a backup in the place of a log."""

from __future__ import annotations

from pathlib import Path

import click

from chatsys.cli.backup import copy


@click.command(
    epilog="""\b
Examples:
  mv /var/lib/chatsys /var/lib/chatsys.broken
  chatsys restore /mnt/backup/2026-07-04 /var/lib/chatsys
  chatsys serve --data /var/lib/chatsys

\b
Exit codes: 0 done · 1 nothing was changed, and why"""
)
@click.argument("source", metavar="BACKUP", type=click.Path(path_type=Path, file_okay=False))
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
def restore(source: Path, data: Path) -> None:
    """Put the log of the directory BACKUP into the directory DATA, which must not hold one.

    A server that opens it gives it a new epoch: whatever was acknowledged after the backup is not in it, so that
    positions and sequences of then mean nothing. Clients notice, and start from their cursors.
    """
    copy(source, data, "restored to")
