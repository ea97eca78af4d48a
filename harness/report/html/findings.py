"""What went wrong, as the page tells it: of each kind of violation the first, and the others of its kind below it.

Invariant: at most `TOLD` are told in full, and each kind has its share: a flood of one does not hide the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness.model.gravity import ENDED
from harness.model.verdict import Status, Verdict, Violation
from harness.report.excerpt import excerpt
from harness.report.failure import facts, findings, places_of, title_of
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.scene import last_lines
from harness.report.text import clip, count, safe

#: Findings that are told in full.
TOLD = 20
_NAMED = 6
_EXCERPT = Look(width=96)


class Finding(NamedTuple):
    """One thing that went wrong, or could not be judged."""

    sure: bool
    """Whether it is certain; else it could not be judged."""
    title: str
    """The check, and the kind of violation."""
    sentence: str
    excerpt: tuple[str, ...]
    """Lines of the scenario with carets and notes."""
    facts: tuple[tuple[str, str], ...]
    proof: tuple[int, ...]
    """Indices of the operations that prove it."""
    messages: tuple[str, ...]
    clients: tuple[str, ...]
    line: int | None
    log: tuple[str, ...] = ()
    """Of processes that ended unasked: how, and their last lines."""


class Group(NamedTuple):
    """Violations of one kind: the first speaks for all of them."""

    findings: tuple[Finding, ...]
    """Those that are told, never none."""
    total: int
    who: str
    """Whom they are about, each with the number of them; empty when there is only one."""


def grouped(row: RowReport) -> tuple[tuple[Group, ...], int]:
    """Return what there is to tell, by kind in the order of its first, and how many there are of further kinds.

    Each kind has its share of the `TOLD` that are told in full: a flood of one does not hide the others.
    """
    kinds: dict[tuple[object, ...], list[tuple[Verdict, Violation | None]]] = {}
    for verdict, violation in findings(row):
        what = verdict.name if verdict.group == "invariant" or violation is None else verdict.group
        kinds.setdefault((verdict.status, what, violation and violation.kind), []).append(
            (verdict, violation)
        )
    shown = list(kinds.values())[:TOLD]
    share = TOLD // max(1, len(shown))
    groups = tuple(
        Group(tuple(_finding(row, *item) for item in items[:share]), len(items), _whom(items))
        for items in shown
    )
    return groups, sum(len(items) for items in list(kinds.values())[TOLD:])


def _whom(items: Sequence[tuple[Verdict, Violation | None]]) -> str:
    if len(items) == 1:
        return ""
    times = Counter(client for _, violation in items if violation for client in violation.clients)
    named = [f"{safe(name)} {count(number, 'time')}" for name, number in times.most_common(_NAMED)]
    others = len(times) - len(named)
    return ", ".join([*named, *([count(others, "other")] if others > 0 else [])])


def _finding(row: RowReport, verdict: Verdict, violation: Violation | None) -> Finding:
    if violation is None:
        word = "could not be judged" if verdict.status is Status.UNKNOWN else str(verdict.status)
        # What is said of the run as a whole is a sentence for itself.
        said = verdict.reason if verdict.group == "run" else f"{word}: {verdict.reason}"
        return Finding(False, safe(verdict.name), safe(said), (), (), (), (), (), None)
    places = places_of(row, verdict, violation)
    return Finding(
        sure=verdict.status is Status.FAIL,
        title=safe(title_of(verdict, violation)),
        sentence=clip(safe(f"{violation.sentence}{_world(verdict, violation)}"), 600),
        excerpt=tuple(excerpt(row.plan.file, row.plan.source, places, _EXCERPT)),
        facts=tuple((key, clip(value, 600)) for key, value in facts(row, verdict, violation)),
        proof=violation.ops,
        messages=tuple(map(safe, violation.messages)),
        clients=violation.clients,
        line=places[0].span.line if places else None,
        log=tuple(line for line in last_lines(row, violation, _EXCERPT) if line)
        if violation.kind == ENDED
        else (),
    )


def _world(verdict: Verdict, violation: Violation) -> str:
    """Return in which world what is not certain would be wrong, as the end of its sentence."""
    if verdict.status is Status.FAIL or not violation.world:
        return ""
    return f", which is wrong only if {violation.world.removeprefix('only if ')}"
