"""One fault of a scenario, placed by JSON pointer.

Verbs and the loader know pointers; only the loader knows marks, and turns a `Problem` into a `Diagnostic` with
line and column.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Place(NamedTuple):
    """Another place that a problem speaks of, and what stands there."""

    pointer: str
    text: str
    on_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, where, and what to do about it."""

    code: str
    """Kebab-case, stable; the golden files in tests/bad name every one."""
    pointer: str
    message: str
    """One line, no full stop, names in backticks."""
    label: str = ""
    """Stands behind the caret: the remedy in a few words."""
    help: tuple[str, ...] = ()
    on_key: bool = False
    """Whether the caret stands under the key rather than under its value."""
    severity: Severity = "error"
    related: tuple[Place, ...] = ()


def escape(key: str) -> str:
    """Return `key` as one part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def other_lane(one: str, other: str) -> str:
    """Return the lane in which the pointer `one` stands, when `other` stands in another lane beside it."""
    mine, theirs = one.split("/"), other.split("/")
    for place, (part, beside) in enumerate(zip(mine, theirs, strict=False)):
        if part != beside:
            return part if mine[place - 1] == "parallel" else ""
    return ""


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Return the name in `known` that `wrong` most likely meant, or nothing."""
    # Imported here: a file without faults should not pay for it.
    from difflib import get_close_matches  # noqa: PLC0415 - imported when it is needed, see above

    folded = {name.casefold(): name for name in reversed(list(known))}
    if (same := folded.get(wrong.casefold())) is not None:
        return same
    close = get_close_matches(wrong.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `did you mean `x`?`, or nothing."""
    name = suggest(wrong, known)
    return f"did you mean `{name}`?" if name else ""


#: Words that say the same of different verbs: who acts, and where. No likeness of letters finds these.
_ROLES = (frozenset({"from", "by"}), frozenset({"to", "room"}))


def suggest_key(wrong: str, known: Iterable[str]) -> str:
    """Return the key in `known` that says what `wrong` says elsewhere, or is written like it; or nothing."""
    names = list(known)
    same = (name for role in _ROLES if wrong in role for name in names if name in role)
    return next(same, "") or suggest(wrong, names)
