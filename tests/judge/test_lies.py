"""A right history into which a few lies were put: each is judged, by every check, and no proof is doubted."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judge import judge
from harness.model.history import Op
from tests.judge.simulation import Simulation

TOLD = frozenset({"deliver", "claim", "read", "ack", "send", "fence"})
Choose = Callable[[int], int]
"""A number from 0 to one below the given."""


def _with(op: Op, **fields: object) -> None:
    op.value = {**op.value, **{key: value for key, value in fields.items() if key in op.value}}


def _shift(op: Op, key: str, by: int) -> None:
    if type(op.value.get(key)) is int:
        _with(op, **{key: max(0, op.value[key] + by)})


def lie(ops: list[Op], choose: Choose) -> None:
    """Change one line, or where it stands."""
    places = [place for place, op in enumerate(ops) if op.f in TOLD]
    place = places[choose(len(places))]
    op = ops[place]
    kind = choose(9)
    if kind == 0:
        del ops[place]
    elif kind == 1 and op.op is None:
        ops.insert(choose(len(ops)), copy.copy(op))
    elif kind == 2:
        other = choose(len(ops))
        ops[place], ops[other] = ops[other], ops[place]
    elif kind == 3:
        _shift(op, "sequence", choose(12) - 3)
    elif kind == 4:
        _with(op, sender=("p0", "p1", "zed")[choose(3)])
    elif kind == 5:
        _with(op, room="red")
    elif kind == 6 and op.op is not None and op.type == "ok":
        op.type = ("info", "fail")[choose(2)]
    elif kind == 7:
        _with(op, text="other")
    else:
        _shift(op, "through", choose(5) - 2)


@settings(max_examples=150)
@given(st.randoms(use_true_random=False), st.integers(2, 4), st.integers(5, 50), st.integers(1, 4))
def test_lies_are_judged_without_doubt(chance: random.Random, size: int, steps: int, lies: int) -> None:
    simulation = Simulation(size, steps, chance.choice)
    ops = [copy.copy(op) for op in simulation.ops]
    for _ in range(lies):
        lie(ops, chance.randrange)
    for index, op in enumerate(ops):
        op.index = index
    judgement = judge(simulation.plan(), ops)
    for verdict in judgement.verdicts:
        assert "the checker itself broke" not in verdict.reason, verdict.reason
        assert "internal doubt" not in verdict.reason, verdict.reason
