"""What was found of one thing that chatsim needs of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

#: `bad`: runs fail, or are not cleaned up after. `note`: some runs may. `absent`: optional, and not there.
State = Literal["ok", "note", "bad", "absent"]


class Finding(NamedTuple):
    """One thing, how it stands, and what to do about it."""

    name: str
    state: State
    said: str
    remedy: str = ""
    """A command or a sentence; empty when there is nothing to do."""


def healthy(findings: Sequence[Finding]) -> bool:
    """Return whether nothing has to be mended."""
    return all(finding.state != "bad" for finding in findings)
