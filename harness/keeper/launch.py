"""Starting the keeper, the first thing a run does.

Imports next to nothing: while the keeper imports what it will fork, its parent has all its own importing still
before it, so the two go on side by side.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from typing import NamedTuple

#: Environment variable that every process of an invocation carries; its value is the run id.
RUN_VARIABLE = "CHATSIM_RUN"


class Launched(NamedTuple):
    """A keeper that is getting ready."""

    run: str
    pid: int
    channel: socket.socket
    errors: int
    """Read end of its standard error."""

    def abandon(self) -> tuple[int, str]:
        """Close the channel, upon which the keeper cleans up and ends; wait for that.

        Returns:
            Its exit code (negative: the signal) and the last line it wrote on its standard error.
        """
        self.channel.close()
        with os.fdopen(self.errors, "rb") as errors:
            said = errors.read().decode(errors="replace")  # until it has ended: nobody else has this pipe
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status), said.strip().rpartition("\n")[2]


def launch(run: str, preload: Sequence[str] = ()) -> Launched:
    """Start the keeper process and return at once, while it imports `preload`.

    Args:
        run: run id, put into the environment of the keeper and all its children.
        preload: modules to import once, for children that are forked.

    Raises:
        OSError: this system gives no more processes or descriptors.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    with theirs:
        channel = 3  # the only descriptor the keeper has beside the usual three
        aside = max(theirs.fileno(), writing, channel) + 1
        arguments = [sys.executable, "-X", "utf8", "-m", "harness.keeper.main", str(channel), *preload]
        pid = os.posix_spawn(
            sys.executable,
            arguments,
            {**os.environ, RUN_VARIABLE: run},
            file_actions=[
                # Whatever number these have here, they are copied out of the way before 0-3 are filled.
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), aside),
                (os.POSIX_SPAWN_DUP2, writing, aside + 1),
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, aside + 1, 2),
                (os.POSIX_SPAWN_DUP2, aside, channel),
                (os.POSIX_SPAWN_CLOSE, aside),
                (os.POSIX_SPAWN_CLOSE, aside + 1),
            ],
            setsid=True,
        )
    os.close(writing)
    return Launched(run, pid, ours, reading)
