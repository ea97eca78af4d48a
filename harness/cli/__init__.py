"""The command `chatsim`: thin commands over source, run, judge and report."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from harness.cli import early, interrupts, troubles
from harness.outlet import keep_open, lost

#: Objects after which Python looks for cycles. Imports make many that stay, and next to no cycles: to look for them
#: as often as it does by itself takes a twentieth of a short run.
_COLLECT_AFTER = 20_000
#: As `ExitCode.COULD_NOT_RUN`, which may be what cannot be imported.
_BROKE = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code (console script `chatsim`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    interrupts.at_once()
    gc.set_threshold(_COLLECT_AFTER)
    keep_open()
    code = _BROKE
    try:
        early.begin(words)
        from harness.cli.invoke import invoke  # noqa: PLC0415 - imports click, while the keeper gets ready

        code = invoke(words)
    except OSError as fault:  # no command knew better
        sys.stderr.write(f"Error: {troubles.told(fault)}\n{troubles.remedy(fault)}".rstrip() + "\n")
    except Exception:  # noqa: BLE001 - our own fault, whatever it is, must not pass for a server's
        import traceback  # noqa: PLC0415 - no other command needs it

        traceback.print_exc()
        sys.stderr.write("Error: chatsim itself broke, which says nothing of any server; please report it\n")
    finally:
        early.end()
    sys.stdout.flush()
    sys.stderr.flush()
    if why := lost(sys.stdout):
        sys.stderr.write(f"Error: standard output takes no more: {why}\n")
        sys.stderr.flush()
        code = max(code, _BROKE)
    # Everything is written and every process has ended: taking the interpreter apart would only cost time.
    os._exit(code)
