"""Faults that wait for a call find it: a script whose fault never struck has not shown what it says it shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Status, Verdict

#: Faults that are set like traps.
TRAPS = frozenset({"lose", "delay", "duplicate"})


class Fired(Check):
    """Every trap that was set has fired, or the run is unknown. Nothing is said where none was set."""

    group: ClassVar[Group] = "run"
    wants = TRAPS | {"fired", "heal"}

    def __init__(self) -> None:
        self._set: dict[str, Op] = {}
        self._fired: set[str] = set()
        self._seen: dict[str, str] = {}

    @property
    def title(self) -> str:
        """The name of the verdict."""
        return "faults"

    def step(self, state: State, op: Op) -> None:  # noqa: ARG002 - as all of its kind
        """Note what was set, what has fired, and what was seen instead."""
        if op.f == "heal":
            ids, seen = op.value.get("ids"), op.value.get("seen")
            if isinstance(ids, (list, tuple)) and isinstance(seen, dict):
                calls = ", ".join(f"{name} ({count})" for name, count in seen.items())
                self._seen.update(dict.fromkeys(map(str, ids), calls))
            return
        id_ = str(op.value.get("id"))
        if op.f == "fired":
            self._fired.add(id_)
        elif op.type == "ok":
            self._set[id_] = op

    def conclude(self, state: State) -> Iterable[Verdict]:  # noqa: ARG002 - as all of its kind
        """Name the first that never fired."""
        if not self._set:
            return ()
        missed = [(id_, op) for id_, op in self._set.items() if id_ not in self._fired]
        if not missed:
            return (self.pronounce(Status.PASS, exercised=len(self._set)),)
        id_, op = missed[0]
        seen = f"; calls that came: {self._seen[id_]}" if self._seen.get(id_) else ""
        reason = f"the fault `{id_}` ({op.f} the {op.value.get('part')}) never found its call{seen}"
        return (self.pronounce(Status.UNKNOWN, reason=reason, exercised=len(self._set) - len(missed)),)
