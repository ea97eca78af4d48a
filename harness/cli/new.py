"""`chatsim new`: write a commented scenario to begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from harness.cli import keyboard
from harness.cli.exit_codes import EPILOG
from harness.report.typed import typed
from harness.source.compile import compile_plan
from harness.source.schema import PATH as SCHEMA
from harness.source.template import template

_SUFFIXES = ("", ".yaml", ".yml")


def _clients(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    return _names(value)


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, tuple):  # a default, as it is
        return value
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if len(names) < 2:
        raise click.BadParameter("a conversation needs two at least: --clients alice,bob")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"two clients are called `{twice}`")
    return names


@click.command("new", epilog=EPILOG)
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--title", default="", help="What it shows, in one line.  [default: from the file's name]")
@click.option(
    "--clients",
    callback=_clients,
    default="alice,bob,chad",
    show_default=True,
    metavar="NAME,NAME...",
    help="Who takes part; the last one comes late.",
)
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def command(path: Path | None, title: str, clients: tuple[str, ...], *, force: bool) -> None:
    """Write a commented scenario, which passes as it is, to PATH. Without PATH, a person is asked.

    \b
    Examples:
      chatsim new
      chatsim new scenarios/mine.yaml
      chatsim new scenarios/reunion.yaml --title "Old friends meet again" --clients ann,ben,cleo
    """
    if path is None:
        if not keyboard.someone_is_there():
            raise click.UsageError("Missing argument 'PATH'. At a terminal, it would be asked for.")
        path, title, clients = _asked(title, clients)
    if path.suffix not in _SUFFIXES:
        raise click.UsageError(f"{path}: a scenario's name ends in .yaml")
    path = path if path.suffix else path.with_suffix(".yaml")
    text = template(title or _title(path), clients, _schema_for(path))
    plan, found = compile_plan(text, str(path), path.stem)
    if plan is None:
        raise click.UsageError("; ".join(item.message for item in found))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as fault:
        raise click.UsageError(f"{path} exists already; choose another name, or --force") from fault
    except OSError as fault:
        raise click.UsageError(f"{path} cannot be written: {fault.strerror}") from fault
    click.echo(f"wrote {path}, which passes as it is: change it")
    for number, command_ in enumerate(("explain", "run")):
        click.echo(f"  {'' if number else 'then':<6} {typed(['chatsim', command_, str(path)])}")


def _asked(title: str, clients: tuple[str, ...]) -> tuple[Path, str, tuple[str, ...]]:
    """Ask for what was not said; the answer in brackets is taken by Enter. Ctrl-C leaves without a trace."""
    click.echo("A scenario in three answers; Enter takes what stands in brackets.", err=True)
    title = click.prompt("  What does it show, in one line", default=title or "Chad is back", err=True)
    clients = click.prompt(
        "  Who takes part; the last one comes late",
        default=",".join(clients),
        value_proc=_names,
        err=True,
    )
    slug = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "mine"
    folder = Path("scenarios") if Path("scenarios").is_dir() else Path()
    path = click.prompt(
        "  Which file", default=str(folder / f"{slug}.yaml"), type=click.Path(path_type=Path), err=True
    )
    return path, title, clients


def _title(path: Path) -> str:
    words = path.stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] or "A conversation"


def _schema_for(path: Path) -> str:
    """Return the way from the file to the schema of the project it lies in; empty when there is none."""
    folder = path.absolute().parent
    for above in (folder, *folder.parents):
        if (above / SCHEMA).is_file():
            return os.path.relpath(above / SCHEMA, folder)
    return ""
