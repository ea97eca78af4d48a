"""What every check is, invariant or expectation: a fold that is shown operations, then concludes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Status, Verdict, Violation

Group = Literal["invariant", "expectation", "run"]


class Check(ABC):
    """One check. It sees each operation it asked for once, after the state has taken it in."""

    group: ClassVar[Group]
    wants: frozenset[str] = frozenset()
    """The `f` of the operations it is shown."""
    pointer: str | None = None
    """YAML place, for expectations."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of its verdict."""

    def prepare(self, state: State) -> None:  # noqa: B027  few checks need it
        """Ask the state to keep what it will need."""

    def step(self, state: State, op: Op) -> None:  # noqa: B027  some judge only at the end
        """Look at one operation."""

    @abstractmethod
    def conclude(self, state: State) -> Iterable[Verdict]:
        """Look at everything, and say how it ended; nothing for what had no occasion."""

    def pronounce(
        self,
        status: Status,
        *,
        reason: str = "",
        exercised: int = 0,
        evidence: Mapping[str, int] | None = None,
        occasions: Mapping[str, int] | None = None,
        violations: Iterable[Violation] = (),
    ) -> Verdict:
        """Make a verdict of this check."""
        return Verdict(
            name=self.title,
            group=self.group,
            status=status,
            pointer=self.pointer,
            reason=reason,
            exercised=exercised,
            evidence=dict(evidence or {}),
            occasions=dict(occasions or {}),
            violations=tuple(violations),
        )
