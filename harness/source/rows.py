"""`matrix` and variables: one file, played once for each row, with `${name}` filled in before anything is checked.

A variable may stand anywhere in a value; keys are taken as they are. Places stay those of what the author wrote, so
a fault points at `${how}` itself. There are no expressions.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.source.diagnostic import LINE_BREAK, Diagnostic
from harness.source.reporter import Reporter
from harness.verbs.kinds import Filled, describe
from harness.verbs.phrases import listing
from harness.verbs.problem import Problem, did_you_mean, escape

MAX_ROWS = 1_000

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_ENV = re.compile(r"env\.([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix; a file without a matrix has one row without variables."""

    values: Mapping[str, str] = field(default_factory=dict)
    faulty: bool = False
    """The matrix could not be read: nobody knows what variables stand for."""

    @property
    def suffix(self) -> str:
        """What the row adds to the name of its plan: `[poll]`, or nothing."""
        return f"[{','.join(self.values.values())}]" if self.values else ""

    def fill(self, data: Mapping[str, Any], environ: Mapping[str, str], report: Reporter) -> dict[str, Any]:
        """Return the data of a file with every variable filled in; unknown ones are reported and stay."""
        filler = _Filler(self.values, environ, report)
        return {
            name: value if name == "matrix" else filler.value(value, f"/{escape(name)}")
            for name, value in data.items()
        }


def read_rows(data: Mapping[str, Any], report: Reporter) -> list[Row]:
    """Read `matrix`: the rows in order, the last variable changing fastest.

    Faults are reported; then there is one row, in which nothing is said of values with variables.
    """
    if "matrix" not in data:
        return [Row()]
    before = report.errors
    rows = _read_matrix(data, report)
    return rows if report.errors == before else [Row(faulty=True)]


def _read_matrix(data: Mapping[str, Any], report: Reporter) -> list[Row]:
    matrix = data["matrix"]
    if not isinstance(matrix, dict) or not matrix:
        what = "a map of variables and their values is wanted here"
        report(
            Problem(
                code="says-nothing" if isinstance(matrix, dict) else "wrong-type",
                pointer="/matrix",
                message=what if isinstance(matrix, dict) else f"{what}, not {describe(matrix)}",
                label="write `{how: [poll, stream]}`",
            )
        )
        return [Row()]
    columns: dict[str, list[str]] = {}
    for name, values in matrix.items():
        pointer = f"/matrix/{escape(name)}"
        if _NAME.match(name) is None or name in ("n", "env"):
            report(
                Problem(
                    code="bad-name",
                    pointer=pointer,
                    message=f"`{name[:70]}` cannot be the name of a variable",
                    label="it means something else" if name in ("n", "env") else "letters, digits and `_`",
                    on_key=True,
                )
            )
        columns[name] = _column(values, pointer, report)
    _unused(columns, data, report)
    count = 1
    for values in columns.values():
        count *= max(1, len(values))
    if count > MAX_ROWS:
        report(
            Problem(
                code="bad-value",
                pointer="/matrix",
                message=f"this makes {count:,} rows",
                label=f"{MAX_ROWS:,} at most",
                on_key=True,
            )
        )
        return [Row()]
    combinations = itertools.product(*(values or [""] for values in columns.values()))
    return [Row(dict(zip(columns, values, strict=True))) for values in combinations]


def in_rows(found: Sequence[tuple[Row, Sequence[Diagnostic]]], source: str) -> Iterator[Diagnostic]:
    """Yield the diagnostics of all rows, each once; one that not every row has says whose it is."""
    lines = LINE_BREAK.split(source)
    rows_of: dict[Diagnostic, list[str]] = {}
    for row, reported in found:
        diagnostics = [item for item in reported if not (row.faulty and "${" in _at(item, lines))]
        # A value whose variable is unknown is wrong in other ways too, but that says nothing more.
        unknown = {(item.line, item.column) for item in diagnostics if item.code == "unknown-variable"}
        for diagnostic in dict.fromkeys(diagnostics):
            if diagnostic.code == "unknown-variable" or (diagnostic.line, diagnostic.column) not in unknown:
                rows_of.setdefault(diagnostic, []).append(row.suffix)
    for diagnostic, rows in rows_of.items():
        if len(rows) == len(found):
            yield diagnostic
        else:
            whose = f"in the {'rows' if len(rows) > 1 else 'row'} {listing(rows[:5])}"
            yield dataclasses.replace(diagnostic, help=(*diagnostic.help, whose))


def _at(item: Diagnostic, lines: Sequence[str]) -> str:
    """Return the text that a diagnostic points at."""
    line = lines[item.line - 1] if 0 < item.line <= len(lines) else ""
    return line[item.column - 1 : item.column - 1 + item.width]


def _column(values: object, pointer: str, report: Reporter) -> list[str]:
    if not isinstance(values, list) or not values:
        report(
            Problem(
                code="says-nothing" if isinstance(values, list) else "wrong-type",
                pointer=pointer,
                message="a variable needs a list of values"
                + ("" if isinstance(values, list) else f", not {describe(values)}"),
                label="write `[poll, stream]`",
            )
        )
        return []
    found: list[str] = []
    for index, value in enumerate(values):
        where = f"{pointer}/{index}"
        if isinstance(value, list | dict) or value is None:
            message = f"a value is text, a number or a truth value, not {describe(value)}"
            report(Problem(code="wrong-type", pointer=where, message=message))
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text in found:
            report(
                Problem(
                    code="listed-twice",
                    pointer=where,
                    message=f"`{text[:70]}` stands here twice",
                    label="remove one",
                )
            )
            continue
        found.append(text)
    return found


def _unused(columns: Mapping[str, object], data: Mapping[str, Any], report: Reporter) -> None:
    used = {
        name
        for key, value in data.items()
        if key != "matrix"
        for text in _texts(value)
        for name in _VARIABLE.findall(text)
    }
    for name in columns:
        if name not in used:
            report(
                Problem(
                    code="unused",
                    severity="warning",
                    pointer=f"/matrix/{escape(name)}",
                    message=f"nothing uses `${{{name}}}`, so all its rows are alike",
                    label="remove it, or use it",
                    on_key=True,
                )
            )


def _texts(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _texts(item)
    elif isinstance(data, dict):
        for item in data.values():
            yield from _texts(item)


class _Filler:
    def __init__(self, values: Mapping[str, str], environ: Mapping[str, str], report: Reporter) -> None:
        self._values = values
        self._environ = environ
        self._report = report

    def value(self, data: Any, pointer: str) -> Any:
        """Return plain data with its variables filled in. Depth is bounded by the reader of the file."""
        if isinstance(data, str):
            return self._text(data, pointer) if "${" in data else data
        if isinstance(data, list):
            return [self.value(item, f"{pointer}/{index}") for index, item in enumerate(data)]
        if isinstance(data, dict):
            return {name: self.value(item, f"{pointer}/{escape(name)}") for name, item in data.items()}
        return data

    def _text(self, text: str, pointer: str) -> str:
        parts = _VARIABLE.split(text)
        for place in range(1, len(parts), 2):
            name = parts[place]
            found = self._find(name, pointer)
            parts[place] = f"${{{name}}}" if found is None else found
        filled = "".join(parts)
        # A value that is nothing but a variable may be a number: `repeat: "${times}"`.
        return Filled(filled) if len(parts) == 3 and not parts[0] and not parts[2] else filled

    def _find(self, name: str, pointer: str) -> str | None:
        if name in self._values:
            return self._values[name]
        if name == "n":
            if not pointer.endswith("/send"):
                message = "`${n}` is the number in a series, and stands in the text of a `send`"
                self._unknown(pointer, message, "remove it")
            return None
        env = _ENV.match(name)
        if env is not None:
            if env[1] in self._environ:
                return self._environ[env[1]]
            if env[2] is None:
                message = f"the environment has no `{env[1]}`"
                self._unknown(pointer, message, f"set it, or write `${{env.{env[1]}:-DEFAULT}}`")
            return env[2]
        known = [*self._values, "n"]
        self._unknown(
            pointer,
            f"no variable is called `{name[:70]}`",
            did_you_mean(name, known),
            f"variables: {', '.join(f'${{{word}}}' for word in known)}, those of `matrix`, and ${{env.NAME}}"
            if not self._values
            else f"variables: {', '.join(f'${{{word}}}' for word in known)} and ${{env.NAME}}",
        )
        return None

    def _unknown(self, pointer: str, message: str, label: str, *help_: str) -> None:
        self._report(
            Problem(code="unknown-variable", pointer=pointer, message=message, label=label, help=help_)
        )
