"""What we conclude: verdicts that are never just true or false, and the proof each violation carries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

VERDICTS_VERSION = 1

#: Invariant families, in reading order. One table of names, used everywhere.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "no-loss": ("lost", "undelivered"),
    "no-duplicate": ("redelivered-after-ack", "redelivered-without-cause"),
    "no-phantom": ("phantom", "aborted-read"),
    "members-only": ("leak",),
    "no-echo": ("echo",),
    "one-order": (
        "sequence-conflict",
        "stored-twice",
        "gap",
        "batch-order",
        "order-back",
        "two-orders",
        "sender-order",
        "real-time-order",
    ),
    "cursors": ("cursor-regress", "ack-beyond-head"),
    "claims": ("false-claim", "position-back", "epoch-change"),
}

#: What a scenario may ask for by name: the families, and each kind by itself. `real-time-order` is judged only then.
INVARIANTS: tuple[str, ...] = (*FAMILIES, *(kind for kinds in FAMILIES.values() for kind in kinds))


class Status(StrEnum):
    """How one check ended."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_EXERCISED = "not exercised"
    NOT_APPLICABLE = "not applicable"


class RunStatus(StrEnum):
    """How one scenario row ended."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    """It could not be run: the server was never ready, or the harness broke."""
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that went wrong, with what alone proves it."""

    kind: str
    """From `FAMILIES` for an invariant; `missing`, `unwanted`, `inbox`, `outcome`, `refused`, ... otherwise."""
    sentence: str
    """One sentence that names the people and the messages."""
    ops: tuple[int, ...] = ()
    """Indices of the 2-5 operations that alone prove it, in order."""
    attempts: tuple[int, ...] = ()
    """Indices of the first sends of the messages that these operations speak of: with cast and memberships, the
    stage on which the proof is judged alone."""
    pointers: tuple[str, ...] = ()
    """YAML places, the one to show first first."""
    clients: tuple[str, ...] = ()
    """Clients concerned, the one who missed or saw it first."""
    messages: tuple[str, ...] = ()
    """Message ids concerned."""
    expected: str = ""
    actual: str = ""
    hint: str = ""
    """What it probably means, or what to do next."""
    world: str = ""
    """When evidence is open: the world in which it is violated ("only if the send happened")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The end of one check."""

    name: str
    """An invariant family, or `expect hello`, `inbox of bob`, `outcome`, `refused`, `processes`, ..."""
    group: Literal["invariant", "expectation", "run"]
    status: Status
    pointer: str | None = None
    """YAML place, for expectations."""
    reason: str = ""
    """Why unknown, not exercised or not applicable; empty otherwise."""
    exercised: int = 0
    """How many facts were judged."""
    evidence: Mapping[str, int] = field(default_factory=dict)
    """How absence was shown, counted: {"by position": 3, "by marker": 0, "by window": 1, "not connected": 1}."""
    occasions: Mapping[str, int] = field(default_factory=dict)
    """For an invariant, how many facts were judged for each of its kinds; 0 is a kind that had no occasion."""
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All verdicts of one run, and what follows from them."""

    status: RunStatus
    reason: str = ""
    """Why it is not a plain pass or fail; for a fail, its first sentence."""
    verdicts: tuple[Verdict, ...] = ()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every violation, in the order of the verdicts."""
        return tuple(violation for verdict in self.verdicts for violation in verdict.violations)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of invariant violations this run was convicted of."""
        known = {kind for kinds in FAMILIES.values() for kind in kinds}
        return frozenset(violation.kind for violation in self.violations) & known

    def to_json(self) -> dict[str, Any]:
        """Return the content of verdicts.json."""
        return {"format": "chatsim.verdicts", "version": VERDICTS_VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Judgement:
        """Read what `to_json` wrote. Raises ValueError for another format or version."""
        if data.get("format") != "chatsim.verdicts" or data.get("version") != VERDICTS_VERSION:
            msg = f"not verdicts of version {VERDICTS_VERSION}"
            raise ValueError(msg)
        verdicts = tuple(_verdict(item) for item in data["verdicts"])
        return cls(status=RunStatus(data["status"]), reason=data["reason"], verdicts=verdicts)


def _verdict(data: Mapping[str, Any]) -> Verdict:
    violations = tuple(_violation(item) for item in data["violations"])
    return Verdict(**{**data, "status": Status(data["status"]), "violations": violations})


def _violation(data: Mapping[str, Any]) -> Violation:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    return Violation(**fields)
