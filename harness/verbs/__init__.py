"""The verbs of a script, one file each: keys, checks, sentence, and how it is played.

Adding a verb is one file and one line in `_NAMES`: the file of `cut` is `cut.py`, the verb in it is `CUT`. A file is
read when its verb is first asked for: a script uses a few, and reading all would take a tenth of a short run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from harness.verbs.verb import Verb

#: In the order of the manual.
_NAMES: Final = (
    "connect",
    "disconnect",
    "create",
    "join",
    "leave",
    "add",
    "kick",
    "send",
    "resend",
    "poll",
    "ack",
    "expect",
    "gone",
    "wait",
    "parallel",
    "rotate_keys",
    "kill",
    "start",
    "restart",
    "pause",
    "resume",
    "cut",
    "slow",
    "refuse",
    "half_open",
    "reset",
    "disk_full",
    "read_only",
    "lose",
    "delay",
    "duplicate",
    "goaway",
    "heal",
)


class _Verbs(Mapping[str, Verb[Any]]):
    """Verbs by name."""

    def __init__(self) -> None:
        self._read: dict[str, Verb[Any]] = {}

    def __getitem__(self, name: str) -> Verb[Any]:
        if name not in _NAMES:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = getattr(import_module(f"harness.verbs.{name}"), name.upper())
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in _NAMES

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


VERBS: Final[Mapping[str, Verb[Any]]] = _Verbs()

#: Verbs that the nemesis may draw: faults that end by themselves, at once or after their `for`.
FAULT_VERBS: Final = ("kill", "restart", "pause", "cut", "slow", "refuse", "half_open", "reset")

#: Verbs of the format that this version does not play yet, and what they do.
LATER_VERBS: Mapping[str, str] = {}

__all__ = ["FAULT_VERBS", "LATER_VERBS", "VERBS", "Verb"]
