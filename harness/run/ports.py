"""Ports for servers that are told on which one to listen.

Nobody can hold a TCP port for another process, and servers that share ports, as gRPC's do, would then answer for one
another: so those who start servers claim the number among themselves, for as long as the server lives.

The claim is an abstract Unix socket. It is seen in exactly those processes that see the port, whoever started them,
and it goes with the process that made it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

_ATTEMPTS = 100


class Port:
    """A port that no other server is told.

    Raises:
        OSError: somebody has claimed it.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._claim.bind(f"\0chatsim-port-{number}")
        except OSError:
            self._claim.close()
            raise

    def close(self) -> None:
        """Give it back. Safe to call again."""
        self._claim.close()

    def __enter__(self) -> Self:
        """Hold it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""
        self.close()


def _draw() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def claim(draw: Callable[[], int] = _draw) -> Port:
    """Return a port that is free, and claimed.

    Args:
        draw: returns a port on which nobody listens.

    Raises:
        OSError: there is none.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return Port(draw())
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                raise
    return Port(draw())
