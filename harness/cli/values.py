"""Values of options that more than one command takes, read and refused in one place."""

from __future__ import annotations

import re
import sys

import click

from harness.run.command import BadCommandError, checked
from harness.run.settings import parse_speed


def speed(_ctx: click.Context, _param: click.Parameter, value: str) -> float | None:
    """Read a factor such as `10x` or `0.5x`; None is `max`. `auto` is 1x on a terminal, else `max`."""
    if value == "auto":
        return 1.0 if sys.stdout.isatty() else None
    try:
        return parse_speed(value)
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from fault


def duration(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Read a time with its unit, such as `500ms`, `10s` or `1m`; return seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time: write a number and its unit, such as 500ms or 10s")
    return float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]


def program(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Read the command of a server or of a driver, or the address of a server."""
    try:
        return checked(value)
    except BadCommandError as fault:
        raise click.BadParameter(str(fault)) from fault
