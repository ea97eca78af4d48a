"""Writes docs/exit-codes.md from the table: `python -m harness.cli.exit_page > docs/exit-codes.md`."""

from __future__ import annotations

import sys

from harness.cli.exit_codes import MEANINGS, RANK

_HEAD = """\
# Exit codes of chatsim

<!-- Made from the table in harness/cli/exit_codes.py by `python -m harness.cli.exit_page`; do not edit. -->

Every command ends with one of these. They are part of the interface: scripts and CI systems may branch on them.

| code | meaning |
|---|---|
"""


def render() -> str:
    """The page as Markdown."""
    rows = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANINGS.items())
    order = ", ".join(str(code.value) for code in RANK)
    return f"{_HEAD}{rows}\nOf several rows the code that stands first here counts: {order}.\n"


if __name__ == "__main__":
    sys.stdout.write(render())
