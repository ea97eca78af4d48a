"""The driver for chatsys: `python -m harness.drivers.chatsys`, or import it, fork, and call `main` in the child.

Importing this starts nothing: no thread, no event loop, no gRPC object. It does import gRPC, for the children
to share. Run as a program it answers `hello` and `setup` first, because that import takes a while.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chatsys import __version__
from harness.drivers.base import Driver, Handler, run

if TYPE_CHECKING:
    from harness.drivers.chatsys_client import Session


class ChatsysDriver(Driver):
    """Plays one client of chatsys, or the harness."""

    name = f"chatsys {__version__}"
    capabilities = (
        "stream",
        "poll",
        "batch",
        "ack",
        "position",
        "order",
        "rooms",
        "auth",
        "keys",
        "kick",
        "readers",
        "history",
        "restart",
        "grpc",
    )

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None

    def handler(self, op: str) -> Handler | None:
        """Return the method of the session, which is made when it is first needed."""
        if op == "setup":
            return self.setup
        if self._session is None:
            from harness.drivers.chatsys_client import Session  # noqa: PLC0415 - see above

            self._session = Session(self)
        handler: Handler | None = getattr(self._session, op, None)
        return handler

    async def leave_now(self) -> None:
        """Close the connection without waiting for anything."""
        if self._session is not None:
            await self._session.leave_now()


def rehearse() -> None:
    """Get ready to be forked: called by the keeper once it has imported this."""
    from harness.drivers import rehearsal  # noqa: PLC0415 - of no use to drivers started cold

    rehearsal.rehearse(ChatsysDriver)


def main(argv: Sequence[str]) -> int:
    """Play one client on file descriptors 0 and 1; return the exit code."""
    return run(ChatsysDriver(), argv)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    # As after a fork: whatever gRPC's threads still do is of no interest to anybody.
    os._exit(code)

import harness.drivers.chatsys_client  # noqa: E402, F401 - whoever imports this module is going to fork
