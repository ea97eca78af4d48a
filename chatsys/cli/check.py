"""`chatsys check`: read a whole log and say what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from chatsys.cli.talking import REFUSED


@click.command(
    epilog="""\b
Examples:
  chatsys check ~/.local/share/chatsys
  chatsys check /var/lib/chatsys --json

\b
Exit codes: 0 nothing is wrong · 1 the log is damaged · 2 there is no log"""
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
def check(data: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Read the whole log in the directory DATA and say what is wrong with it.

    Its server may run meanwhile. A log that was found damaged is served again only after this found nothing.
    """
    from chatsys.store import check as checking  # noqa: PLC0415 - --help does without
    from chatsys.store import damage, schema  # noqa: PLC0415 - the same

    file = data / schema.FILE
    if not file.exists():
        raise click.UsageError(
            f"There is no log in {data}; name the directory that the server has as --data."
        )
    found = checking.check(file)
    if as_json:
        click.echo(json.dumps({"entries": found.entries, "rooms": found.rooms, "faults": found.faults}))
    else:
        for fault in found.faults:
            click.echo(f"chatsys: {fault}", err=True)
        verdict = "damaged: restore a backup with `chatsys restore`" if found.faults else "sound"
        click.echo(f"{found.extent}: {verdict}")
    if found.faults:
        damage.mark(data, found.faults[0])
        raise SystemExit(REFUSED)
    damage.clear(data)
