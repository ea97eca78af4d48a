"""Judges each violation again, from the few operations that are said to prove it.

A violation names two to five operations (one, where a single line says it all). They are played alone to a new
judge, on the *stage* of the run: its cast, its memberships, what the drivers said they can do, and that the messages
concerned were attempted. If that judge does not convict of the same kind for the same messages, then either the
proof is wrong or the judgement was, and nobody should act on it: the violation is taken back, and the family ends
`unknown` unless others stand. So a mistake in the judge shows as doubt, not as somebody else's fault.

What a proof cannot show is absence: that nothing *else* happened. It says what was there, and the whole history
was read for the rest.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.judge.family import Family
from harness.judge.state import State
from harness.model.history import Op
from harness.model.plan import Plan
from harness.model.verdict import Status, Verdict, Violation

MOST_EACH = 20
"""So many violations of a kind are judged again; the others were found by the same rule, and stand or fall with
them."""
STAGE = frozenset({"spawn", "create", "join", "add", "leave", "kick"})


class Record:
    """The lines of a history that some proofs need: found in one more reading of it."""

    def __init__(self, history: Iterable[Op], violations: Iterable[Violation]) -> None:
        wanted = {index for violation in violations for index in (*violation.ops, *violation.attempts)}
        self._lines: dict[int, Op] = {}
        self._other: dict[int, Op] = {}
        """The other line of an operation that has two, by the index of the one."""
        self._stage: list[Op] = []
        began: dict[int, Op] = {}
        for op in history:
            if op.index in wanted:
                self._lines[op.index] = op
            if op.f in STAGE:
                self._stage.append(op)
            if op.op is None or op.f == "read":
                continue
            if op.type == "invoke":
                began[op.op] = op
            elif (invoked := began.pop(op.op, None)) is not None and (
                invoked.index in wanted or op.index in wanted
            ):
                self._other[invoked.index], self._other[op.index] = op, invoked

    def alone(self, violation: Violation) -> list[Op]:
        """Return what a violation is to be judged from: its operations, whole, and the stage they stand on."""
        chosen: dict[int, Op] = {}
        for index in violation.ops:
            for op in (self._lines.get(index), self._other.get(index)):
                if op is not None:
                    chosen[op.index] = op
        for index in violation.attempts:
            if (op := self._lines.get(index)) is not None:
                chosen.setdefault(index, op)
        rooms = {room for op in chosen.values() for room in _rooms(op)}
        people = {op.client for op in chosen.values()}
        for op in self._stage:
            if op.client in people if op.f == "spawn" else not rooms.isdisjoint(_rooms(op)):
                chosen.setdefault(op.index, op)
        return [chosen[index] for index in sorted(chosen)]


def _rooms(op: Op) -> Iterable[str]:
    room, acks, markers = (op.value.get(key) for key in ("room", "acks", "markers"))
    named = [
        room,
        *(acks if isinstance(acks, Mapping) else ()),
        *(markers if isinstance(markers, Mapping) else ()),
    ]
    return (room for room in named if isinstance(room, str))


def convicts(plan: Plan, family: type[Family], violation: Violation, ops: Iterable[Op]) -> bool:
    """Whether these operations alone lead a family to the same violation."""
    state, check = State(plan), family()
    check.prepare(state)
    for op in ops:
        if state.observe(op) and op.f in check.wants:
            check.step(state, op)
    return any(
        again.kind == violation.kind
        and set(again.messages) == set(violation.messages)
        and set(again.clients) >= set(violation.clients[:1])
        for again in check.finish(state).violations
    )


def proven(
    plan: Plan, history: Iterable[Op], verdicts: Sequence[Verdict], families: Iterable[type[Family]]
) -> list[Verdict]:
    """Return the verdicts without the violations that their own proofs do not bear out.

    Args:
        plan: the plan that was judged.
        history: the same history once more.
        verdicts: all verdicts; those that are not of `families` stay as they are.
        families: the invariants.
    """
    by_name = {family.name: family for family in families}
    chosen: dict[str, list[Violation]] = {}
    for verdict in verdicts:
        if verdict.group == "invariant" and verdict.name in by_name and verdict.violations:
            chosen[verdict.name] = _first_of_each_kind(verdict.violations)
    if not chosen:
        return list(verdicts)
    record = Record(history, (violation for violations in chosen.values() for violation in violations))
    stage = dataclasses.replace(plan, steps=(), inboxes=(), listed=())
    checked: list[Verdict] = []
    for verdict in verdicts:
        if verdict.group != "invariant" or verdict.name not in chosen:
            checked.append(verdict)
            continue
        family = by_name[verdict.name]
        doubtful = [
            violation
            for violation in chosen[verdict.name]
            if not _convicts_again(stage, family, violation, record)
        ]
        checked.append(_without(verdict, chosen[verdict.name], doubtful) if doubtful else verdict)
    return checked


def _convicts_again(plan: Plan, family: type[Family], violation: Violation, record: Record) -> bool:
    try:
        return convicts(plan, family, violation, record.alone(violation))
    except Exception:  # noqa: BLE001  a proof that cannot even be judged proves nothing
        return False


def _first_of_each_kind(violations: Iterable[Violation]) -> list[Violation]:
    seen: Counter[str] = Counter()
    first = []
    for violation in violations:
        seen[violation.kind] += 1
        if seen[violation.kind] <= MOST_EACH:
            first.append(violation)
    return first


def _without(verdict: Verdict, judged: Sequence[Violation], doubtful: Sequence[Violation]) -> Verdict:
    """Take the doubtful ones back, and with them those of a kind of which none was borne out."""
    borne_out = {violation.kind for violation in judged if violation not in doubtful}
    left = tuple(
        violation
        for violation in verdict.violations
        if violation.kind in borne_out and violation not in doubtful
    )
    first = doubtful[0]
    numbers = ", ".join(map(str, first.ops)) or "none"
    reason = (
        f"internal doubt: {len(verdict.violations) - len(left)} of {len(verdict.violations)} violations "
        "are taken back, for the operations that should prove them do not: "
        f"{first.kind}: {first.sentence} (operations {numbers})"
    )
    status = Status.FAIL if left else Status.UNKNOWN
    return dataclasses.replace(verdict, status=status, reason=reason, violations=left)
