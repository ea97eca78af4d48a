"""`chatsim run --watch`: play, wait until a scenario is edited, play that one again, until Ctrl-C.

The seed stays, so that what changed in the result comes from what changed in the file. Every round has a keeper of
its own, so it also plays with what was edited in a server or a driver meanwhile.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import click

from harness.cli.exit_codes import ExitCode
from harness.cli.performance import Performance
from harness.cli.scenarios import draw_seed
from harness.keeper.launch import Launched
from harness.report.look import wants_redraw
from harness.report.text import clip, safe
from harness.source.loader import scenario_files

#: Pace of looking at the files' times: shorter than the way from the editor to the terminal, and a look at a hundred
#: files takes a millisecond. A package that the system tells of changes would be a dependency nobody could feel.
PACE_S = 0.2
_SHOWN = 8

Stamp = tuple[int, int, int]


def play_and_watch(performance: Performance, seed: int | None, relaunch: Callable[[], Launched]) -> NoReturn:
    """Play round after round.

    Args:
        performance: the first round.
        seed: as given on the command line.
        relaunch: launches a keeper for a further round.

    Raises:
        click.exceptions.Exit: a round was interrupted.
        KeyboardInterrupt: the waiting was.
    """
    drawn = draw_seed()
    paths: Sequence[str] = performance.paths
    texts = _texts(paths)
    stamps = stamps_of(paths)
    _round(performance, seed, drawn)
    while True:
        click.echo("watching: edit a scenario to play it again, Ctrl-C to leave", err=True)
        now = wait_for_change(paths, stamps)
        edited = [file for file in now if now[file] != stamps.get(file)]
        fresh = _texts(edited)
        if wants_redraw(sys.stdout, os.environ):
            click.clear()
        for file in [*edited, *(file for file in stamps if file not in now)]:
            click.echo("\n".join(say_change(file, texts.get(file), fresh.get(file))), err=True)
        stamps = now
        texts |= fresh
        if edited:
            tags = [path for path in paths if path.startswith("#")]
            again = dataclasses.replace(
                performance,
                launched=relaunch(),
                paths=(*edited, *tags),
                typed=performance.paths,
                begun_ns=time.monotonic_ns(),
            )
            _round(again, seed, drawn)


def _round(performance: Performance, seed: int | None, drawn: int) -> None:
    try:
        plans = performance.load(seed, drawn)
    except click.exceptions.Exit:  # it has been said what is wrong; the next edit may mend it
        performance.launched.abandon()
        return
    if performance.play(plans) is ExitCode.INTERRUPTED:
        raise click.exceptions.Exit(int(ExitCode.INTERRUPTED))


def stamps_of(paths: Sequence[str]) -> dict[str, Stamp]:
    """Return what tells one state of each file from another; files that are not there have none."""
    found = {}
    for file in scenario_files(paths):
        try:
            state = Path(file).stat()
        except OSError:
            continue
        found[file] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found


def wait_for_change(paths: Sequence[str], before: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Wait until files differ from what they were, and then until they rest: an editor may write in several goes."""
    last = dict(before)
    while True:
        time.sleep(PACE_S)  # editors replace files in many ways; their times tell of all of them
        now = stamps_of(paths)
        if now == last and now != before:
            return now
        last = now


def say_change(file: str, before: str | None, after: str | None) -> list[str]:
    """Return what changed in a file, in a few lines."""
    if after is None:
        return [f"gone: {safe(file)}"]
    if before is None:
        return [f"new: {safe(file)}"]
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
        if not line.startswith(("---", "+++"))
    ]
    if not lines:
        return [f"saved without a change: {safe(file)}"]
    told = [clip(f"  {safe(_place(line))}", 118) for line in lines[:_SHOWN]]
    more = [f"  … and {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
    return [f"changed: {safe(file)}", *told, *more]


def _place(line: str) -> str:
    """Return a line of a difference; `@@ -14 +14 @@` becomes `line 14`."""
    if not line.startswith("@@"):
        return line
    return f"line {line.split()[2].lstrip('+').partition(',')[0]}"


def _texts(files: Iterable[str]) -> dict[str, str]:
    texts = {}
    for file in scenario_files(list(files)):
        try:
            texts[file] = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return texts
