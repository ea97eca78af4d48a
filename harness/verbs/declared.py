"""What a script has declared so far: its messages, its series of them, and the faults it has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.cast import Client
from harness.verbs.problem import Problem


def not_a_user(device: Client, pointer: str) -> Problem:
    """Return the problem of a device that stands where a user is wanted."""
    return Problem(
        code="unknown-client",
        pointer=pointer,
        message=f"rooms list users, and `{device.name}` is a device of `{device.user}`",
        label=f"write `{device.user}`",
    )


@dataclass(frozen=True, slots=True)
class Message:
    """One message that the script sends."""

    id: str
    sender: str
    room: str
    step: int
    pointer: str
    certain: bool
    """It will exist on a good server: its step demands `ok`."""
    impossible: bool
    """It must not come to exist: its step is `refused` or has `outcome: none`."""


@dataclass(frozen=True, slots=True)
class Series:
    """The messages of one send step with `repeat` or several senders: one tuple of ids a sender, in order."""

    by_sender: Mapping[str, tuple[str, ...]]

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids, sender by sender."""
        return tuple(id_ for ids in self.by_sender.values() for id_ in ids)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that the script has begun."""

    pointer: str
    targets: tuple[str, ...]
    ends: bool
    """By itself, after its `for`."""
