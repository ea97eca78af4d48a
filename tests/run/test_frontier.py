"""A fence asks for as few positions as include all that was answered."""

from harness.model.history import Op
from harness.run.fences import Frontier


def send(frontier, index, op, type_, position=None):
    value = {"room": "lobby", **({"position": position} if position else {})}
    frontier.watch(Op(index, index, "alice", type_, "send", value, op))


def test_one_after_the_other_only_the_last_is_kept():
    frontier = Frontier()
    for n in range(1, 4):
        send(frontier, 2 * n, n, "invoke")
        send(frontier, 2 * n + 1, n, "ok", f"p{n}")
    assert frontier.positions == ("p3",)


def test_of_two_at_once_both_are_kept_until_a_later_one_includes_them():
    frontier = Frontier()
    send(frontier, 1, 1, "invoke")
    send(frontier, 2, 2, "invoke")
    send(frontier, 3, 1, "ok", "p1")
    send(frontier, 4, 2, "ok", "p2")
    assert list(frontier.positions) == ["p1", "p2"]
    send(frontier, 5, 3, "invoke")
    send(frontier, 6, 3, "ok", "p3")
    assert list(frontier.positions) == ["p3"]


def test_what_failed_or_is_unknown_gives_no_position():
    frontier = Frontier()
    send(frontier, 1, 1, "invoke")
    send(frontier, 2, 1, "fail")
    send(frontier, 3, 2, "invoke")
    send(frontier, 4, 2, "info")
    assert frontier.positions == ()
