"""Collects the problems of one file and places them."""

from __future__ import annotations

from harness.source.diagnostic import Diagnostic, Note
from harness.source.tree import Tree
from harness.verbs.problem import Problem


class Reporter:
    """The ear of one file: takes problems with pointers, keeps diagnostics with lines."""

    def __init__(self, tree: Tree, file: str) -> None:
        self.tree = tree
        self.file = file
        self.found: list[Diagnostic] = []
        self.errors = 0

    def __call__(self, problem: Problem) -> None:
        """Take one problem."""
        self.errors += problem.severity == "error"
        span = self.tree.place(problem.pointer, on_key=problem.on_key)
        notes = tuple(
            Note(*self.tree.place(place.pointer, on_key=place.on_key), place.text)
            for place in problem.related
        )
        self.found.append(
            Diagnostic(
                code=problem.code,
                message=problem.message,
                file=self.file,
                line=span.line,
                column=span.column,
                width=span.width,
                label=problem.label,
                help=problem.help,
                notes=notes,
                severity=problem.severity,
            )
        )
