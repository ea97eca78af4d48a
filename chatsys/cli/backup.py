"""`chatsys backup`: copy a log while its server goes on."""

from __future__ import annotations

from pathlib import Path

import click

from chatsys.cli.talking import REFUSED


@click.command(
    epilog="""\b
Examples:
  chatsys backup /var/lib/chatsys /mnt/backup/$(date +%F)

\b
Exit codes: 0 the backup is there, checked and on the disk · 1 there is none, and why"""
)
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
def backup(data: Path, target: Path) -> None:
    """Copy the log in the directory DATA to the directory TARGET, whose server may run meanwhile.

    The copy is one state of the log, holds everything that was acknowledged before it began, and was read whole
    before it is called done. TARGET is made if needed.
    """
    copy(data, target, "backed up to")


def copy(source: Path, target: Path, done: str) -> None:
    """Copy a log, say so, or end with the sentence that says why not."""
    from chatsys.store.backup import CopyError  # noqa: PLC0415 - --help does without
    from chatsys.store.backup import copy as copy_log  # noqa: PLC0415 - the same

    try:
        found = copy_log(source, target)
    except CopyError as error:
        click.echo(f"chatsys: {error}", err=True)
        raise SystemExit(REFUSED) from None
    click.echo(f"{found.extent} {done} {target}")
