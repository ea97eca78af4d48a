"""What every broken system declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatsys.server.gate import Gate
from chatsys.server.reading import Reading
from chatsys.server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One system that is broken on purpose: a small override of the good server, or of its client's driver."""

    name: str
    does: str
    """What it does wrong, in a few words."""
    reading: type[Reading] = Reading
    gate: Callable[[Settings], Gate] | None = None
    """What lets callers in; it serves with `--auth tokens` then, so that there is something to look at."""
    before: Callable[[Path, bool], None] | None = None
    """Called before it opens its log again: (data directory, whether the life before ended in good order)."""
    tamper: Callable[[], None] | None = None
    """Called once in the server's process, before it serves."""
    drive: Callable[[], None] | None = None
    """Called once in each client's process, before it is told anything: here the driver is what is broken."""
    kinds: frozenset[str]
    """Exactly what it must be convicted of: kinds of invariants."""
    others: frozenset[str] = frozenset()
    """What of the script must fail, when no invariant speaks of the fault."""
    scenarios: tuple[str, ...]
    """Each of these must convict it: one of `scenarios/`, or of this package's own when it begins with `own/`."""


def altered_decision(name: str, made: Callable[..., object], where: str = "chatsys.core.decide") -> None:
    """Put `made(decide, view, entry)` in the place of one of the functions that decide what becomes of an entry."""
    import importlib  # noqa: PLC0415  # only a server that tampers needs the module itself

    module = importlib.import_module(where)
    decide = getattr(module, name)
    setattr(module, name, lambda view, entry: made(decide, view, entry))
