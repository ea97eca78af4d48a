"""What a scenario may tell the chatsys that chatsim starts: its settings, by their names, but those of chatsim's own.

Invariant: a setting is here by being in chatsys' table, unless `OWN` names it; nothing is written twice.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, NamedTuple

from chatsys.config.table import Setting, make, settings_of
from chatsys.server.settings import Settings

#: Where it listens and who is let in: chatsim sets that itself, since its clients must come in.
OWN: Final = frozenset(
    {
        "host",
        "port",
        "data",
        "auth",
        "keys",
        "audience",
        "tls_cert",
        "tls_key",
        "client_ca",
        "insecure_any_host",
        "run_id",
        "metrics_host",
        "metrics_port",
    }
)


class Option(NamedTuple):
    """One setting that a scenario may give."""

    name: str
    word: str
    """What stands for its value in a help text: `N`, `SIZE`, `TIME`, `RATE`, or `{one,of}`."""
    default: str
    help: str


@functools.cache
def options() -> Mapping[str, Option]:
    """Return what may be set, by name, in the order of the table."""
    return {name: _option(row) for name, row in _rows().items() if name not in OWN}


def fault_of(name: str, text: str) -> str:
    """Say what is wrong with one value, as the rest of a sentence that begins with it; empty when nothing is."""
    try:
        _rows()[name].kind.parse(text)
    except ValueError as fault:
        return str(fault)
    return ""


def faults_together(values: Mapping[str, str]) -> list[str]:
    """Say what is wrong with values that are each well formed, in whole sentences of chatsys."""
    rows = _rows()
    settings: Settings = make(Settings, {name: rows[name].kind.parse(text) for name, text in values.items()})
    return settings.faults()


@functools.cache
def _rows() -> Mapping[str, Setting]:
    return {row.name: row for row in settings_of(Settings)}


def _option(row: Setting) -> Option:
    default = row.said or ("" if row.default is None else row.show(row.default))
    return Option(row.name, row.kind.word, default, row.help)
