"""What a server may still hold when all of its clients have left, and from where on it is a leak.

Pools, caches and files that are opened late are no leaks: only connections whose client is gone count, and files
that are open far more often than when the server was ready. Small numbers are nobody's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW_CONNECTIONS = 10
"""Connections without a client that are nobody's business; a server with no more sockets than that is not asked."""
FEW_TIMES = 64
"""How much more often one file may be open than any was when the server was ready."""
GRACE_S = 2.0
"""How long a server may take to let go of them."""


def connections(end: Mapping[str, Any]) -> str:
    """Return what is said of the connections that a server holds at the end; empty when they are none of ours."""
    gone = _count(end, "gone")
    return f"{gone} connections whose clients had gone" if gone > FEW_CONNECTIONS else ""


def files(ready: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    """Return the same of files, by what it held when it was ready."""
    times, before = _count(end, "times"), _count(ready, "times")
    return (
        f"{end.get('file')} open {times} times, and at first {before}" if times - before > FEW_TIMES else ""
    )


def leaked(ready: Mapping[str, Any], end: Mapping[str, Any]) -> str:
    """Return what a server has leaked between two looks at it, in a few words; empty when nothing."""
    return " and ".join(part for part in (connections(end), files(ready, end)) if part)


def _count(held: Mapping[str, Any], key: str) -> int:
    value = held.get(key)
    return value if type(value) is int else 0
