"""What is done to processes, by name: `targets` are clients, and `SERVER`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What faults call the system under test.
SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """End processes by a signal; done when they have ended."""

    verb: Literal["kill"] = "kill"
    targets: tuple[str, ...]
    """Clients and `server`."""
    id: str
    """The author's id, or `@LINE`."""
    signal: str = "SIGKILL"
    for_ns: int | None = None
    """After which they are started again; None: not before a step does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start processes that were killed, the server first; clients come back connected."""

    verb: Literal["start"] = "start"
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """End processes as one ends them in ordinary life, and start them again, the server first."""

    verb: Literal["restart"] = "restart"
    targets: tuple[str, ...]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Freeze processes; done when they stand still."""

    verb: Literal["pause"] = "pause"
    targets: tuple[str, ...]
    id: str
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Thaw processes; done when they run again."""

    verb: Literal["resume"] = "resume"
    targets: tuple[str, ...]


#: Acts on processes: their names are `targets`, which may hold `server`.
ProcessFault = Kill | Start | Restart | Pause | Resume
