"""How punctual the acts of a workload were, told from its history alone."""

from __future__ import annotations

import pytest

from harness.model.actions import Connect, Poll
from harness.model.history import Op
from harness.model.steps import Step
from harness.model.workload import Workload
from harness.report.punctuality import Punctuality, Timekeeper, total
from harness.report.terminal import punctuality_line

MS = 1_000_000
S = 1_000 * MS


def made(*moments_ms: int) -> Workload:
    acts = tuple(
        Step(pointer=f"/workload/mix/poll/{n}", action=Poll(who=("bob",)), at_ns=at * MS, within_ns=S)
        for n, at in enumerate(moments_ms, start=1)
    )
    begin = Step(pointer="/workload", action=Connect(who=("bob",)), within_ns=S)
    return Workload(begin=begin, rooms=("lobby",), rate_per_s=1.0, duration_ns=9 * S, acts=acts)


def history(*lines: tuple[int, str, str, str, object]) -> list[Op]:
    """(ms, process, type, f, number of the act or targets); everything began at 1 s."""
    ops = [Op(0, S, "script", "invoke", "workload", {}, 1, "/workload")]
    for index, (ms, process, type_, f, about) in enumerate(lines, start=1):
        value = {"targets": about} if isinstance(about, list) else {}
        step = f"/workload/mix/poll/{about}" if isinstance(about, int) else None
        ops.append(Op(index, S + ms * MS, process, type_, f, value, index + 1, step))  # type: ignore[arg-type]  # any text will do here
    return ops


def judged(workload: Workload, ops: list[Op]) -> Punctuality:
    keeper = Timekeeper(workload)
    for op in ops:
        keeper.feed(op)
    return keeper.result()


def test_an_act_counts_from_its_moment_and_once():
    found = judged(
        made(0, 100, 200, 300),
        history(
            (1, "bob", "invoke", "poll", 1),
            (150, "bob", "ok", "poll", 1),
            (200, "bob", "invoke", "poll", 2),
            (301, "bob", "invoke", "poll", 3),
            (350, "script", "ok", "skip", 4),
        ),
    )
    assert found == Punctuality(4, 2, 1, 0, 1, 101 * MS)
    assert found.share == pytest.approx(0.5)


def test_an_act_of_which_nothing_is_known_was_left_out():
    assert judged(made(0, 100), []) == Punctuality(2, 0, 0, 0, 2, 0)


@pytest.mark.parametrize("target", ["bob", "server"])
def test_what_a_fault_held_up_is_told_apart(target):
    found = judged(
        made(0, 2000, 4000, 4100),
        history(
            (0, "bob", "invoke", "poll", 1),
            (1000, "nemesis", "invoke", "kill", [target]),
            (3000, "nemesis", "ok", "start", [target]),
            (3050, "bob", "invoke", "poll", 2),
            (4150, "script", "ok", "skip", 3),
            (4300, "bob", "invoke", "poll", 4),
        ),
    )
    assert found == Punctuality(4, 1, 1, 2, 0, 200 * MS)


def test_a_fault_on_somebody_else_explains_nothing():
    found = judged(
        made(0),
        history((0, "nemesis", "invoke", "pause", ["alice"]), (200, "bob", "invoke", "poll", 1)),
    )
    assert (found.late, found.held_up) == (1, 0)


def test_the_line():
    one = Punctuality(10, 6, 1, 2, 1, 250 * MS)
    assert punctuality_line(one) == (
        "6 of 10 acts began within 100 ms of their moment · 2 held up by faults · 1 late, by 0.25 s at most"
        " · 1 left out · 75.0% in time"
    )
    assert total([one, one._replace(latest_ns=S)]) == Punctuality(20, 12, 2, 4, 2, S)
    assert punctuality_line(Punctuality(2, 0, 0, 2, 0, 0)).endswith("none to judge by")
