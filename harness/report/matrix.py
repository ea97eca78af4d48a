"""What the selftest says: each broken system, what it was convicted of, and whether that is what it declares.

Pure. A conviction is right when the kinds are exactly those declared, and no violation is in internal doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.model.verdict import FAMILIES, Judgement, RunStatus
from harness.report.look import Look, Tone
from harness.report.text import count
from harness.report.typed import typed

GOOD = "the good server"


class Exhibit(NamedTuple):
    """One broken system, as its gallery declares it."""

    name: str
    does: str
    kinds: frozenset[str]
    others: frozenset[str]
    scenarios: tuple[str, ...]
    """Paths."""
    drives: bool
    """Whether its driver is what is broken."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Exhibit:
        """Read one declaration; raises KeyError or TypeError when it is none."""
        return cls(
            data["name"],
            data["does"],
            frozenset(data["kinds"]),
            frozenset(data["others"]),
            tuple(data["scenarios"]),
            bool(data["drives"]),
        )


class Trial(NamedTuple):
    """One scenario played against one system."""

    system: str
    """Its name, or `GOOD`."""
    scenario: str
    wanted: frozenset[str]
    found: frozenset[str]
    """Kinds of violations."""
    fault: str
    """What else is wrong: it could not be played, or was not judged as it must; empty when nothing is."""
    directory: str

    @property
    def ok(self) -> bool:
        """Whether it ended as declared."""
        return not self.fault and self.wanted == self.found


def tried(
    exhibit: Exhibit | None,
    scenario: str,
    judgement: Judgement | None,
    status: RunStatus,
    reason: str,
    directory: str,
) -> Trial:
    """Compare how a row ended with what was declared; without an exhibit it was the good server."""
    wanted = exhibit.kinds if exhibit is not None else frozenset()
    found = judgement.kinds if judgement is not None else frozenset()
    fault = ""
    if exhibit is None:
        fault = "" if status is RunStatus.PASS else f"it ended {status}: {reason}"
    elif judgement is None or status is not RunStatus.FAIL:
        fault = f"it ended {status}: {reason}"
    elif missing := exhibit.others - {violation.kind for violation in judgement.violations}:
        fault = f"{', '.join(sorted(missing))} did not fail"
    if judgement is not None and (doubt := _doubt(judgement)):
        fault = doubt
    return Trial(exhibit.name if exhibit is not None else GOOD, scenario, wanted, found, fault, directory)


def _doubt(judgement: Judgement) -> str:
    doubts = (verdict.reason for verdict in judgement.verdicts if "internal doubt" in verdict.reason)
    return next(doubts, "")


def _in_order(kinds: Iterable[str]) -> list[str]:
    order = [kind for family in FAMILIES.values() for kind in family]
    return sorted(kinds, key=lambda kind: order.index(kind) if kind in order else len(order))


def matrix(trials: Sequence[Trial], seconds: float, look: Look, *, whole: bool = True) -> Iterable[str]:
    """Yield the lines: one for each broken system, what differs below it, and the sum of it all.

    Args:
        trials: in the order in which they are told.
        seconds: how long it took.
        look: how to draw it.
        whole: whether it is the whole gallery: then it is told how many convict of each kind.
    """
    broken: dict[str, list[Trial]] = {}
    for trial in trials:
        broken.setdefault(trial.system, []).append(trial)
    good = broken.pop(GOOD, [])
    width = max((len(name) for name in broken), default=0)
    for name, played in broken.items():
        kinds = " ".join(_in_order(played[0].wanted)) or "the script only"
        scenarios = ", ".join(trial.scenario for trial in played)
        yield f"{_word(played, look)}  {name:{width}}  {kinds}  ({scenarios})"
        yield from _differences(played)
    if good:
        played_by = "one scenario" if len(good) == 1 else f"{len(good)} scenarios"
        yield f"{_word(good, look)}  {GOOD:{width}}  nothing, in {played_by}"
        yield from _differences(good)
    yield ""
    for kind in (kind for family in FAMILIES.values() for kind in family) if whole else ():
        witnesses = sum(kind in played[0].wanted and all(t.ok for t in played) for played in broken.values())
        yield f"{witnesses:4} {'convicts' if witnesses == 1 else 'convict'}  {kind}"
    if whole:
        yield ""
    wrong = sum(not all(trial.ok for trial in played) for played in (*broken.values(), good))
    told = f"{wrong} of them not as declared" if wrong else "each as declared"
    tone: Tone = "bad" if wrong else "good"
    all_played = f"{count(len(broken), 'broken system')}, {count(len(trials), 'run')}"
    yield look.paint(f"{all_played}, {told} in {seconds:.1f} s", tone)


def _word(played: Iterable[Trial], look: Look) -> str:
    return look.paint("ok ", "good") if all(trial.ok for trial in played) else look.paint("NOT", "bad")


def _differences(played: Iterable[Trial]) -> Iterable[str]:
    for trial in played:
        if trial.ok:
            continue
        place = f"     {trial.scenario}: "
        if missing := _in_order(trial.wanted - trial.found):
            yield f"{place}not convicted of {', '.join(missing)}"
        if more := _in_order(trial.found - trial.wanted):
            yield f"{place}convicted of {', '.join(more)}, too"
        if trial.fault:
            yield f"{place}{trial.fault}"
        yield f"     see {typed(['chatsim', 'report', trial.directory])}"
