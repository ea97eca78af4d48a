"""A progress that passes everything on to another: the base of those that only look on."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from harness.model.history import Op
from harness.model.plan import Plan
from harness.report.model import RowReport
from harness.report.progress import Progress


class Relay:
    """Passes everything on.

    Args:
        inner: told of everything, after the one who looks on.
    """

    def __init__(self, inner: Progress) -> None:
        self.inner = inner

    def row_started(self, plan: Plan) -> None:
        """Pass it on."""
        self.inner.row_started(plan)

    def step(self, plan: Plan, index: int, text: str) -> None:
        """Pass it on."""
        self.inner.step(plan, index, text)

    def op(self, plan: Plan, op: Op) -> None:
        """Pass it on."""
        self.inner.op(plan, op)

    def say(self, text: str) -> None:
        """Pass it on."""
        self.inner.say(text)

    def row_finished(self, row: RowReport) -> None:
        """Pass it on."""
        self.inner.row_finished(row)

    def __enter__(self) -> Self:
        """Begin."""
        self.inner.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        """End."""
        self.inner.__exit__(kind, fault, at)
