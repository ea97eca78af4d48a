"""The driver for chatsys: `python -m harness.drivers.chatsys`, or import it, fork, and call `main` in the child.

Importing this starts nothing: no thread, no event loop, no gRPC object. It does import gRPC, for the children
to share; run as a program it says hello first, because that import takes a while.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from chatsys import __version__
from harness.drivers.hello import greet

NAME = f"chatsys {__version__}"
CAPABILITIES = ("stream", "poll", "ack", "position", "order", "rooms", "auth", "kick", "history", "restart")


def main(argv: Sequence[str]) -> int:
    """Play one client on file descriptors 0 and 1; return the exit code."""
    capabilities = greet(NAME, CAPABILITIES, argv)
    if isinstance(capabilities, int):
        return capabilities
    from harness.drivers.base import play  # noqa: PLC0415 - see above
    from harness.drivers.chatsys_client import ChatsysDriver  # noqa: PLC0415 - see above

    return play(ChatsysDriver(capabilities))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # As after a fork: whatever gRPC's threads still do is of no interest to anybody.
    os._exit(code)

import harness.drivers.chatsys_client  # noqa: E402, F401 - whoever imports this module is going to fork
