"""Keeps open what nobody needs any more."""

from __future__ import annotations

import os
import socket
from typing import Any

from gallery.broken import Broken, altered_decision

_KEPT: list[Any] = []


def _keep_files() -> None:
    def decided(decide: Any, view: Any, send: Any) -> Any:
        _KEPT.append(os.open(__file__, os.O_RDONLY))
        return decide(view, send)

    altered_decision("_send", decided)


def _keep_connections() -> None:
    def decided(decide: Any, view: Any, send: Any) -> Any:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            client = socket.create_connection(listening.getsockname())
            _KEPT.append(listening.accept()[0])
            client.close()
        return decide(view, send)

    altered_decision("_send", decided)


KEEPS_FILES = Broken(
    name="keeps-files",
    does="opens a file for each message, and closes none",
    tamper=_keep_files,
    kinds=frozenset(),
    others=frozenset({"leaked"}),
    scenarios=("own/many_sends",),
)
KEEPS_CONNECTIONS = Broken(
    name="keeps-connections",
    does="keeps a connection for each message whose other end has gone",
    tamper=_keep_connections,
    kinds=frozenset(),
    others=frozenset({"leaked"}),
    scenarios=("own/many_sends",),
)
