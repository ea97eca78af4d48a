"""What every broken server declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chatsys.server.gate import Gate
from chatsys.server.reading import Reading
from chatsys.server.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One broken server."""

    name: str
    does: str
    """What it does wrong, in a few words."""
    reading: type[Reading] = Reading
    gate: Callable[[Settings], Gate] | None = None
    """What lets callers in; it serves with `--auth tokens` then, so that there is something to look at."""
    before: Callable[[Path, bool], None] | None = None
    """Called before it opens its log again: (data directory, whether the life before ended in good order)."""
    kinds: frozenset[str]
    """Exactly what it must be convicted of."""
    scenarios: tuple[str, ...]
    """Each of these must convict it: one of `scenarios/`, or a path in the repository without `.yaml`."""

    def paths(self) -> tuple[str, ...]:
        """Return the scenario files, relative to the repository."""
        return tuple(f"{name}.yaml" if "/" in name else f"scenarios/{name}.yaml" for name in self.scenarios)
