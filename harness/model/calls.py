"""What is done to single calls of clients, by meaning and by count instead of time.

`targets` are the clients whose calls count, or `SERVER`: those of all. Each fault waits for its call, strikes it, and
is over; one that never finds its call leaves the run unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["request", "response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lose:
    """A request, or its answer, gets lost: the caller hears nothing."""

    verb: Literal["lose"] = "lose"
    part: Part
    targets: tuple[str, ...]
    id: str
    """The author's id, or `@LINE`."""
    of: str | None = None
    """RPC, as `SendMessage` or `Service/SendMessage`; None: any."""
    nth: int = 1
    """Which of these calls, counted from the begin of the fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A request, or its answer, takes longer."""

    verb: Literal["delay"] = "delay"
    part: Part
    targets: tuple[str, ...]
    id: str
    delay_ns: int
    of: str | None = None
    nth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A request reaches the server twice, one after the other; the caller gets the first answer."""

    verb: Literal["duplicate"] = "duplicate"
    part: Literal["request"] = "request"
    targets: tuple[str, ...]
    id: str
    of: str | None = None
    nth: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GoAway:
    """The server tells clients to make their next calls on another connection; calls under way go on."""

    verb: Literal["goaway"] = "goaway"
    targets: tuple[str, ...]
    id: str


CallFault = Lose | Delay | Duplicate | GoAway
