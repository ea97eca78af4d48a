"""Texts that YAML cuts short: in `send: one #2` the message is `one`, and `#2` a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness.source.diagnostic import LINE_BREAK
from harness.source.tree import Tree
from harness.verbs.problem import Problem

#: A comment for people has a blank behind its `#`, as in all our files; `#2` or `#general` was meant to be said.
_MEANT = re.compile(r"[ \t]+(#[^\s#]\S*)")
_QUOTES = ("'", '"', "|", ">", "&", "*", "!")


def cut_short(tree: Tree, source: str, pointers: Sequence[str]) -> Iterator[Problem]:
    """Yield a warning for each unquoted text of a `send` that is followed by ` #` and no blank.

    Args:
        tree: the file.
        source: its text.
        pointers: of all steps.
    """
    if " #" not in source and "\t#" not in source:
        return
    lines = LINE_BREAK.split(source)
    for pointer in pointers:
        span = tree.values.get(f"{pointer}/send")
        if span is None or span.line > len(lines):
            continue
        line, start = lines[span.line - 1], span.column - 1
        end = start + span.width
        if not line.startswith(_QUOTES, start) and (rest := _MEANT.match(line, end)) is not None:
            yield Problem(
                code="cut-short",
                severity="warning",
                pointer=f"{pointer}/send",
                message=f"the message is `{line[start:end]}`: in YAML, `{rest[1]}` begins a comment",
                label=f'write `"{line[start : rest.end()]}"` to say it all',
            )
