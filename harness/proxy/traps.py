"""Which call a fault strikes: pure counting.

Invariants:
* A trap counts the calls that match it from when it was set, and strikes one, the nth of them.
* Of several traps that one call would spring, the one set first gets it; the others do not count it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Trap:
    """One fault that waits for its call."""

    id: str
    what: str
    """`lose`, `delay` or `duplicate`."""
    part: str
    """`request` or `response`."""
    by: frozenset[str] | None
    """Clients whose calls count; None: all."""
    of: str | None
    """RPC; None: any."""
    nth: int
    delay_s: float = 0.0
    count: int = 0
    """Calls that matched so far."""

    def matches(self, client: str, method: str) -> bool:
        """Whether a call counts; `method` is written /package.Service/Method."""
        if self.by is not None and client not in self.by:
            return False
        return self.of is None or is_called(method, self.of)


class Traps:
    """All that are set, and how often each RPC was called."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        """RPC, without its service -> calls by anybody."""
        self._set: dict[str, Trap] = {}

    def set(self, trap: Trap) -> None:
        """Set one."""
        self._set[trap.id] = trap

    def drop(self, id_: str) -> int | None:
        """Take one away; return how many calls matched it, None when it has found its call."""
        trap = self._set.pop(id_, None)
        return None if trap is None else trap.count

    def count(self, id_: str) -> int:
        """Return how many calls have matched one that is set."""
        return self._set[id_].count if id_ in self._set else 0

    def catch(self, client: str, method: str) -> Trap | None:
        """Take note of a call; return the trap that it springs, which is then no longer set."""
        name = method.rpartition("/")[2]
        self.seen[name] = self.seen.get(name, 0) + 1
        for trap in list(self._set.values()):
            if not trap.matches(client, method):
                continue
            if trap.count + 1 == trap.nth:
                trap.count += 1
                return self._set.pop(trap.id)
        # Nothing sprang, so it counts for all.
        for trap in self._set.values():
            trap.count += trap.matches(client, method)
        return None


def is_called(method: str, name: str) -> bool:
    """Whether `/package.Service/Method` is what `Method`, `Service/Method` or all of it means."""
    service, _, short = method.strip("/").rpartition("/")
    of, _, wanted = name.strip("/").rpartition("/")
    return short == wanted and (not of or service == of or service.endswith(f".{of}"))
