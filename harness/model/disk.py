"""What is done to the disk that the server writes its data to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFull:
    """No file of the server takes another byte."""

    verb: Literal["disk_full"] = "disk_full"
    targets: tuple[str, ...]
    """`server`."""
    id: str
    """The author's id, or `@LINE`."""
    for_ns: int | None = None
    """After which it is healed; None: not before a step does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOnly:
    """The server's data directory, and what is in it, cannot be opened for writing, nor anything made in it."""

    verb: Literal["read_only"] = "read_only"
    targets: tuple[str, ...]
    id: str
    for_ns: int | None = None


DiskFault = DiskFull | ReadOnly
