"""Where something stands in a scenario file."""

from __future__ import annotations

from typing import Any, NamedTuple


class Span(NamedTuple):
    """A stretch of one line of a source file. Lines and columns count from 1."""

    line: int
    column: int
    width: int = 1

    def to_json(self) -> list[int]:
        """Return the form kept in plan.json."""
        return [self.line, self.column, self.width]

    @classmethod
    def from_json(cls, data: Any) -> Span:
        """Read what `to_json` wrote."""
        line, column, width = data
        return cls(int(line), int(column), int(width))
