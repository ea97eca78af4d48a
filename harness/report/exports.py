"""Runs in formats of somebody else's: one line in a table each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.model.history import Op
from harness.report import mermaid, trace
from harness.report.html.page import compose
from harness.report.model import RowReport

#: Operations in a trace: viewers of traces are made for many.
_TRACED = 200_000


def _mermaid(row: RowReport, ops: Iterable[Op]) -> str:
    page = compose(row, ops, {})
    proof = next((finding.proof for finding in page.findings if finding.proof), ())
    return mermaid.render(page.diagram, frozenset(proof))


def _trace(row: RowReport, ops: Iterable[Op]) -> str:
    return trace.render(compose(row, ops, {}, shown=_TRACED).diagram)


#: Name -> the text of a row, from its report and its history.
EXPORTS: Mapping[str, Callable[[RowReport, Iterable[Op]], str]] = {"mermaid": _mermaid, "trace": _trace}
