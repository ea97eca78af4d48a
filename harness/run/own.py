"""Our own server and driver: which modules are forked, and what the keeper imports for them.

Read before anything else of a run, so this module imports nothing.
"""

from __future__ import annotations

#: The module forked for chatsys when no other server command is given.
OWN_SERVER = "chatsys.server.main"
#: The module forked for each client when no other driver command is given.
OWN_DRIVER = "harness.drivers.chatsys"
#: The module forked for faults on single calls.
OWN_PROXY = "harness.proxy.main"


def preload(server: str | None, driver: str | None) -> tuple[str, ...]:
    """Return the modules that the keeper should have imported before it forks; a command needs none."""
    own = ((server, OWN_SERVER), (driver, OWN_DRIVER))
    return tuple(module for command, module in own if command is None)
