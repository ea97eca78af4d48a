"""The command `chatsim`: thin commands over source, run, judge and report."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from harness.cli import early
from harness.report.outlet import keep_open


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code (console script `chatsim`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    early.begin(words)
    keep_open()
    from harness.cli.invoke import invoke  # noqa: PLC0415 - imports click, while the keeper gets ready

    try:
        code = invoke(words)
    finally:
        early.end()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is written and every process has ended: taking the interpreter apart would only cost time.
    os._exit(code)
