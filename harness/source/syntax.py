"""What YAML's parser says of a syntax fault, in words that help the author of a scenario."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from harness.source.diagnostic import Diagnostic, Note

#: (part of the parser's sentence, our sentence, remedy). The first that fits is used.
_REMEDIES = (
    (
        "mapping values are not allowed",
        "a second `: ` on one line",
        "text with `: ` in it must stand in quotes; otherwise look at the indentation",
    ),
    (
        "cannot start any token",
        "no value can begin with this character",
        "text that begins with `@`, `%`, a backtick or a tab must stand in quotes; indent with spaces, not with tabs",
    ),
    (
        "while scanning a quoted scalar",
        "a quotation mark is never closed",
        "close it; in single quotes an apostrophe is written twice",
    ),
    (
        "found unexpected end of stream",
        "the file ends inside a bracket or a quotation",
        "close what is open",
    ),
    (
        "while parsing a flow sequence",
        "`,` or `]` is missing",
        "the list that begins here is not closed; text with `[`, `]`, `{`, `}` or `,` in it needs quotes",
    ),
    (
        "while parsing a flow mapping",
        "`,` or `}` is missing",
        "the map that begins here is not closed; text with `[`, `]`, `{`, `}` or `,` in it needs quotes",
    ),
    (
        "did not find expected '-' indicator",
        "this does not fit into the list above it",
        "indent it as the items above; modifiers of a step stand under its verb",
    ),
    ("expected <block end>", "this does not fit into what stands above it", "look at its indentation"),
    (
        "did not find expected key",
        "this is not a key of the map above it",
        "indent it as the keys above, and put `: ` behind the key; text after a closing quote needs quotes too",
    ),
    ("could not find expected ':'", "this key has no `: `", "write `key: value`"),
    (
        "unknown escape character",
        "this is no escape that YAML knows",
        "double the backslash, or use single quotes",
    ),
    ("did not find expected <document start>", "there is more after the end", "one file, one scenario"),
    (
        "expected alphabetic or numeric character",
        "this is no name of an anchor",
        "text that begins with `*` or `&` must stand in quotes",
    ),
    ("tab", "a tab stands where only spaces may stand", "indent with spaces"),
)


def explain_syntax(fault: yaml.MarkedYAMLError, file: str, lines: Sequence[str]) -> Diagnostic:
    """Return the diagnostic for what the parser stumbled over, and where it began."""
    said = f"{fault.context or ''} {fault.problem or ''}"
    message, remedy = next(
        ((ours, help_) for part, ours, help_ in _REMEDIES if part in said),
        (fault.problem or "this is no YAML", ""),
    )
    mark = fault.problem_mark or fault.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if line > len(lines) or (line == len(lines) and not lines[-1]):
        # The parser noticed at the end of the file: show the last line that says something.
        line = max((number for number, text in enumerate(lines, 1) if text.strip()), default=1)
        column = len(lines[line - 1].rstrip()) + 1
    notes: tuple[Note, ...] = ()
    context = fault.context_mark
    if context is not None and context.line + 1 < line:
        notes = (Note(context.line + 1, context.column + 1, 1, "it begins here"),)
    return Diagnostic(
        code="syntax",
        message=f"YAML: {message}",
        file=file,
        line=line,
        column=column,
        notes=notes,
        help=(remedy,) if remedy else (),
    )
