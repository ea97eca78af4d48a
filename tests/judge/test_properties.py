"""What must hold for every history: judging always returns, right servers pass, what is missing is missed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge import ALL_FAMILIES, judge
from harness.judge.assumptions import KNOWN
from harness.judge.check import Check
from harness.judge.evidence import read_past
from harness.judge.family import Family
from harness.judge.proof import MOST_EACH, convicts
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import FAMILIES, RunStatus, Status, Verdict
from tests.judge.notation import history_of
from tests.judge.plans import plan_of
from tests.judge.simulation import Simulation
from tests.support import NIGHTLY

PLAN = plan_of(
    {
        "name": "any",
        "steps": [
            {"send": "one"},
            {"expect": ["one"], "received_by": ["bob"], "not_by": ["doug"]},
            {"connect": "chad", "refused": "UNAUTHENTICATED"},
        ],
        "inboxes": {"bob": ["one", "two"], "chad": [["one", "two"]]},
        "listed": ["bob", "doug"],
    }
)
NAMES = st.sampled_from(
    ["alice", "bob", "bob#2", "chad", "doug", "stranger", "server", "harness", "script", "nemesis"]
)
WORDS = st.sampled_from(["lobby", "red", "one", "two", "p1", "p2", ""])
NUMBERS = st.sampled_from([0, 1, 2, 3, 5, -1, 2**62, True])
ANYTHING = st.one_of(
    WORDS, NUMBERS, st.none(), st.just([1, {}]), st.just({"lobby": 3, "one": "x"}), st.just(["p1", "p2"])
)
VALUES = st.dictionaries(
    st.sampled_from(
        [
            *(
                "room",
                "id",
                "client_message_id",
                "sender",
                "text",
                "sequence",
                "position",
                "positions",
                "via",
            ),
            *(
                "after",
                "through",
                "lost",
                "acks",
                "cursors",
                "markers",
                "grade",
                "caught_up",
                "user",
                "members",
            ),
            *("capabilities", "asked", "code", "signal", "processes", "targets", "state", "reason"),
        ]
    ),
    ANYTHING,
    max_size=6,
)
LIKELY = st.fixed_dictionaries(
    {"room": st.just("lobby"), "client_message_id": st.sampled_from(["one", "two"])},
    optional={
        "id": st.sampled_from(["one", "two"]),
        "sender": st.sampled_from(["alice", "bob"]),
        "sequence": st.integers(1, 5),
        "position": st.sampled_from(["p1", "p2"]),
        "positions": st.just(["p1", "p2"]),
        "grade": st.sampled_from(["position", "marker", "window"]),
        "markers": st.just({"lobby": "one"}),
        "via": st.integers(1, 4),
        "after": st.integers(0, 3),
        "through": st.integers(1, 5),
        "acks": st.just({"lobby": 2}),
        "cursors": st.just({"lobby": 1}),
        "user": st.sampled_from(["bob", "chad"]),
        "targets": st.just(["bob"]),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[Op]:
    count = draw(st.integers(0, 30))
    return [
        Op(
            index,
            index * 1000,
            draw(NAMES),
            draw(st.sampled_from(["invoke", "ok", "fail", "info"])),
            draw(st.sampled_from([*sorted(KNOWN), "dance"])),
            draw(st.one_of(VALUES, LIKELY)),
            draw(st.one_of(st.none(), st.integers(1, 6))),
            draw(st.sampled_from([None, "/steps/0", "/steps/1", "/steps/2"])),
            None,
            draw(st.sampled_from([None, {"code": "UNAVAILABLE"}, {}])),
        )
        for index in range(count)
    ]


@settings(max_examples=1_000 if NIGHTLY else 200)
@given(histories())
def test_no_history_breaks_a_check(history: list[Op]) -> None:
    judgement = judge(PLAN, history)
    broken = [
        verdict.reason for verdict in judgement.verdicts if "the checker itself broke" in verdict.reason
    ]
    assert not broken, broken[0]
    assert [verdict.name for verdict in judgement.verdicts if verdict.group == "invariant"] == list(FAMILIES)
    for violation in judgement.violations:
        assert all(0 <= index < len(history) for index in violation.ops)


@settings(max_examples=150)
@given(st.randoms(use_true_random=False), st.integers(2, 4), st.integers(0, 60))
def test_a_correct_server_passes(chance: random.Random, size: int, steps: int) -> None:
    simulation = Simulation(size, steps, chance.choice)
    judgement = judge(simulation.plan(), simulation.ops)
    told = [violation.sentence for violation in judgement.violations]
    assert judgement.status is RunStatus.PASS, (judgement.reason, told)


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(2, 4), st.integers(5, 40))
def test_without_one_delivery_it_fails(chance: random.Random, size: int, steps: int) -> None:
    simulation = Simulation(size, steps, chance.choice)
    plan = simulation.plan()
    once = [pair for pair in simulation.delivered if simulation.delivered.count(pair) == 1]
    for at, op in enumerate(simulation.ops):
        if op.f != "deliver" or (op.client, op.value["id"]) not in once:
            continue
        judgement = judge(plan, [*simulation.ops[:at], *simulation.ops[at + 1 :]])
        assert judgement.status is RunStatus.FAIL
        kinds = {"undelivered", "gap", "false-claim"}
        assert judgement.kinds == kinds, [violation.sentence for violation in judgement.violations]
        assert all(op.client in violation.clients for violation in judgement.violations)
        assert all(op.value["id"] in violation.messages for violation in judgement.violations)


def test_each_family_sees_each_operation_at_most_once(monkeypatch: pytest.MonkeyPatch) -> None:
    visits: dict[tuple[str, int], int] = {}
    for family in ALL_FAMILIES:

        def counting(self: Check, state: State, op: Op, *, real: Any = family.step) -> None:
            visits[self.title, op.index] = visits.get((self.title, op.index), 0) + 1
            real(self, state, op)

        monkeypatch.setattr(family, "step", counting)
    simulation = Simulation(4, 200, random.Random(1).choice)
    judge(simulation.plan(), iter(simulation.ops))
    assert max(visits.values()) == 1
    assert len(visits) <= len(simulation.ops) * len(ALL_FAMILIES)


class ReadBy:
    """A history that counts how often it is read."""

    def __init__(self, ops: list[Op]) -> None:
        self.ops = ops
        self.times = 0

    def __iter__(self) -> Iterator[Op]:
        self.times += 1
        return iter(self.ops)


@settings(max_examples=100)
@given(histories())
def test_no_operation_is_visited_more_than_a_fixed_number_of_times(history: list[Op]) -> None:
    read = ReadBy(history)
    visits: Counter[tuple[type[Family], int]] = Counter()

    def counting(family: type[Family]) -> type[Family]:
        def step(self: Family, state: State, op: Op) -> None:
            visits[family, op.index] += 1
            family.step(self, state, op)

        return type(family.__name__, (family,), {"step": step})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.judge.ALL_FAMILIES", tuple(counting(family) for family in ALL_FAMILIES))
        judgement = judge(PLAN, read)
    convicted = bool(judgement.kinds) or any("internal doubt" in v.reason for v in judgement.verdicts)
    assert read.times == (2 if convicted else 1)
    again = MOST_EACH * max(len(kinds) for kinds in FAMILIES.values())
    assert max(visits.values(), default=0) <= 1 + again


def test_proofs_are_checked_for_the_first_of_each_kind_only(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["alice connect", "bob connect"]
    lines += [f"bob got ghost{number} {number + 2}" for number in range(200)]
    case = {"name": "ghosts", "rooms": {"lobby": ["alice", "bob"]}, "history": "\n".join(lines)}
    checked = 0

    def counting(*given: Any) -> bool:
        nonlocal checked
        checked += 1
        return convicts(*given)

    monkeypatch.setattr("harness.judge.proof.convicts", counting)
    judgement = judge(plan_of(case), history_of(case))
    assert sum(violation.kind == "phantom" for violation in judgement.violations) == 200
    assert checked == MOST_EACH


def test_a_violation_that_its_proof_does_not_bear_out_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {
        "name": "ghost",
        "rooms": {"lobby": ["alice", "bob"]},
        "history": "alice connect\nbob connect\nalice send one -> ok 2 p2\n"
        "bob got one 2\nbob got ghost 3\nbob fence p2",
    }
    assert judge(plan_of(case), history_of(case)).kinds == {"phantom"}
    monkeypatch.setattr("harness.judge.proof.convicts", lambda *_: False)
    judgement = judge(plan_of(case), history_of(case))
    verdict = next(verdict for verdict in judgement.verdicts if verdict.name == "no-phantom")
    assert verdict.status is Status.UNKNOWN
    assert not verdict.violations
    assert verdict.reason.startswith("internal doubt: 1 of 1 violations are taken back")
    assert "bob got `ghost`" in verdict.reason
    assert judgement.status is RunStatus.UNKNOWN


def test_sequences_chosen_by_a_server_cost_nothing() -> None:
    far = 2**62
    lines = ["alice connect", "bob connect"]
    for number in range(50):
        lines.append(f"alice send m{number} lobby -> ok {far + number * 10**12} p{number}")
        lines.append(f"bob got m{number} {far + number * 10**12}")
    lines.append(f"bob claims 0..{far * 2}")
    case = {"name": "far", "rooms": {"lobby": ["alice", "bob"]}, "history": "\n".join(lines)}
    assert judge(plan_of(case), history_of(case)).status is RunStatus.PASS


def test_sequences_below_zero_are_not_believed() -> None:
    simulation = Simulation(3, 40, random.Random(4).choice)
    for op in simulation.ops:
        if "sequence" in op.value:
            op.value = {**op.value, "sequence": -op.value["sequence"]}
    judgement = judge(simulation.plan(), simulation.ops)
    assumptions = next(verdict for verdict in judgement.verdicts if verdict.name == "assumptions")
    assert "sequences begin at 0" in assumptions.reason
    assert judgement.status is not RunStatus.PASS


def test_members_who_never_come_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = [f"absent-{number}" for number in range(300)]
    lines = ["alice connect", "bob connect"]
    for number in range(100):
        lines += [f"alice send m{number} -> ok {number + 2} p{number}", f"bob got m{number} {number + 2}"]
    lines.append("bob fence p99")
    people = ["alice", "bob", *crowd]
    case = {"name": "hall", "clients": people, "rooms": {"lobby": people}, "history": "\n".join(lines)}
    looked = 0

    def counting(*given: Any) -> Any:
        nonlocal looked
        looked += 1
        return read_past(*given)

    monkeypatch.setattr("harness.judge.no_loss.read_past", counting)
    judgement = judge(plan_of(case), history_of(case))
    assert judgement.status is RunStatus.PASS, judgement.reason
    no_loss = next(verdict for verdict in judgement.verdicts if verdict.name == "no-loss")
    assert no_loss.evidence["not connected"] == 300 * 100
    assert looked <= 100


class Broken(Family):
    name = "no-echo"
    wants = frozenset({"deliver"})
    where = "step"

    def prepare(self, state: State) -> None:
        if self.where == "prepare":
            raise ZeroDivisionError("broken on purpose")

    def step(self, state: State, op: Op) -> None:
        if self.where == "step":
            raise ZeroDivisionError("broken on purpose")

    def finish(self, state: State) -> Verdict:
        raise ZeroDivisionError("broken on purpose")


@pytest.mark.parametrize("where", ["prepare", "step", "finish"])
def test_a_check_that_breaks_is_unknown_and_the_others_go_on(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "harness.judge.ALL_FAMILIES",
        (type("BrokenThere", (Broken,), {"where": where}), *ALL_FAMILIES[:4], *ALL_FAMILIES[5:]),
    )
    simulation = Simulation(3, 40, random.Random(2).choice)
    judgement = judge(simulation.plan(), simulation.ops)
    broken = next(verdict for verdict in judgement.verdicts if verdict.name == "no-echo")
    assert broken.status is Status.UNKNOWN
    assert "ZeroDivisionError: broken on purpose" in broken.reason
    assert judgement.status is RunStatus.UNKNOWN
    assert {verdict.name for verdict in judgement.verdicts if verdict.status is Status.PASS} >= {
        "no-loss",
        "claims",
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"f": "dance"}, "nobody knows what `dance` is"),
        ({"type": "maybe"}, "has the unknown type 'maybe'"),
        ({"op": 1}, "a second invocation with `op` 1"),
        ({"op": None}, "has no `op` that pairs it"),
        ({"type": "ok", "op": 99}, "ends without having been invoked"),
        ({"index": 77}, "indices count without holes"),
    ],
)
def test_a_broken_assumption_is_named(change: dict[str, Any], sentence: str) -> None:
    simulation = Simulation(3, 30, random.Random(3).choice)
    history = simulation.ops
    place = next(at for at, op in enumerate(history) if op.type == "invoke" and op.f == "fence")
    for name, value in change.items():
        setattr(history[place], name, value)
    judgement = judge(simulation.plan(), history)
    assumptions = next(verdict for verdict in judgement.verdicts if verdict.name == "assumptions")
    assert sentence in assumptions.reason
    assert judgement.status is not RunStatus.PASS
