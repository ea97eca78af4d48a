"""What an invariant family is: a pure fold over the facts, and the verdict at its end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from harness.judge.check import Check, Group
from harness.judge.findings import Findings
from harness.judge.state import State
from harness.model.verdict import Status, Verdict

Evidence = Mapping[str, int]


class Family(Check):
    """One invariant family."""

    group: ClassVar[Group] = "invariant"
    name: ClassVar[str]
    """As in the table of families."""

    def __init__(self) -> None:
        self.found = Findings()

    @property
    def title(self) -> str:
        """The name of the family."""
        return self.name

    def conclude(self, state: State) -> Iterable[Verdict]:
        """Return the family's one verdict."""
        return (self.finish(state),)

    @abstractmethod
    def finish(self, state: State) -> Verdict:
        """Look at everything, and conclude."""

    def verdict(
        self,
        exercised: int,
        *,
        idle: str,
        unknown: str = "",
        lacking: str | None = None,
        evidence: Evidence | None = None,
        occasions: Mapping[str, int] | None = None,
    ) -> Verdict:
        """Conclude from what was found.

        Args:
            exercised: how many facts were judged.
            idle: why there was nothing to judge, when `exercised` is 0.
            unknown: why it cannot be told, when it cannot.
            lacking: the capability without which the family does not apply, when the server lacks it.
            evidence: how absence was shown, counted.
            occasions: how many facts were judged for each kind.
        """
        violations = self.found.violations()
        status, reason = Status.PASS, ""
        if violations:
            status = Status.FAIL
        elif lacking is not None:
            status, reason = Status.NOT_APPLICABLE, f"the server has no capability `{lacking}`"
        elif unknown:
            status, reason = Status.UNKNOWN, unknown
        elif exercised == 0:
            status, reason = Status.NOT_EXERCISED, idle
        return self.pronounce(
            status,
            reason=reason,
            exercised=exercised,
            evidence=evidence,
            occasions=occasions,
            violations=violations,
        )
