"""What is done to the network between clients and the server. `targets` are clients, or `SERVER`: all of them.

Each is a fault of its own: two on one client add up, and the end of one leaves the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Which bytes a fault is about: all, what clients say, or what they hear.
Direction = Literal["both", "to_server", "from_server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Hold all bytes, of connections that exist and of new ones; nothing is reset or lost."""

    verb: Literal["cut"] = "cut"
    targets: tuple[str, ...]
    """Clients, or `server`."""
    id: str
    """The author's id, or `@LINE`."""
    direction: Direction = "both"
    for_ns: int | None = None
    """After which it is healed; None: not before a step does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """Bytes take longer; they stay in order."""

    verb: Literal["slow"] = "slow"
    targets: tuple[str, ...]
    id: str
    direction: Direction = "both"
    latency_ns: int = 0
    """Added each way."""
    jitter_ns: int = 0
    """How much more or less, at random."""
    rate: int | None = None
    """Bytes a second, each way and connection; None: as many as there are."""
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Turn new connections away; those that exist go on."""

    verb: Literal["refuse"] = "refuse"
    targets: tuple[str, ...]
    id: str
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfOpen:
    """Take the server's end of each connection away, and leave the client in the belief that it is there."""

    verb: Literal["half_open"] = "half_open"
    targets: tuple[str, ...]
    id: str
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """End each connection by a reset, towards both ends; over at once."""

    verb: Literal["reset"] = "reset"
    targets: tuple[str, ...]
    id: str


NetworkFault = Cut | Slow | Refuse | HalfOpen | Reset
