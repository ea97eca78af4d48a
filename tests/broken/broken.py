"""What every broken server declares."""

from __future__ import annotations

from dataclasses import dataclass

from chatsys.server.reading import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One broken server."""

    name: str
    does: str
    """What it does wrong, in a few words."""
    reading: type[Reading]
    kinds: frozenset[str]
    """Exactly what it must be convicted of."""
    scenarios: tuple[str, ...]
    """Each of these must convict it: one of `scenarios/`, or a path in the repository without `.yaml`."""

    def paths(self) -> tuple[str, ...]:
        """Return the scenario files, relative to the repository."""
        return tuple(f"{name}.yaml" if "/" in name else f"scenarios/{name}.yaml" for name in self.scenarios)
