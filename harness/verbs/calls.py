"""What the verbs of faults on calls have in common: which call is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.model.faults import SERVER
from harness.verbs.ids import id_by_place
from harness.verbs.keys import StepKeys, key
from harness.verbs.kinds import COUNT, NAMES, BadValueError, Item, Kind, read_text
from harness.verbs.scope import Scope
from harness.verbs.targets import FAULT_ID, begin, told

_RPC = re.compile(r"/?(?:[A-Za-z_][A-Za-z0-9_.]*/)?[A-Za-z_][A-Za-z0-9_]*\Z")


def _read_rpc(value: object) -> str:
    text = read_text(value, "the name of an RPC")
    if _RPC.match(text) is None:
        raise BadValueError(
            f"`{text[:70]}` cannot be the name of an RPC", "write `SendMessage`, or `ChatService/SendMessage`"
        )
    return text


RPC: Kind[str] = Kind(
    _read_rpc, {"type": "string", "pattern": "^/?([A-Za-z_][A-Za-z0-9_.]*/)?[A-Za-z_][A-Za-z0-9_]*$"}
)


@dataclass(frozen=True, kw_only=True)
class CallKeys(StepKeys):
    """Modifiers of every verb that strikes one call."""

    of: str | None = key(
        RPC, "Which RPC: `SendMessage`, or with its service before it. Any, unless given.", default=None
    )
    by: Sequence[Item] = key(
        NAMES, "Whose calls: a client, or a list of them. Anybody's, unless given.", default=()
    )
    nth: int = key(
        COUNT, "Which of these calls, counted from this step on; tries count one by one.", default=1
    )
    id: str | None = key(FAULT_ID, "A name for the fault, for `wait` and `heal`.", default=None)


class Caught(NamedTuple):
    """Whose call is meant, and what the fault is called."""

    targets: tuple[str, ...]
    id: str


def strike(keys: CallKeys, scope: Scope, pointer: str) -> Caught | None:
    """Read which call a fault waits for, and take note that it begins; None when something was reported."""
    targets = tuple(name for name, _ in scope.names(keys.by, f"{pointer}/by")) or (SERVER,)
    given = keys.id or id_by_place(scope, pointer)
    if not begin(scope, given, pointer, targets, ends=True, heals=True) or keys.broken:
        return None
    return Caught(targets, given)


def said(nth: int, of: str | None, targets: tuple[str, ...]) -> str:
    """Return `the 2nd SendMessage of bob`, `the next call of anybody`."""
    whose = "anybody" if SERVER in targets else told(targets, "or")
    ending = "th" if nth % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(nth % 10, "th")
    which = "next" if nth == 1 else f"{nth}{ending}"
    return f"the {which} {of or 'call'} of {whose}"
