"""What was judged again is told as when it was played: in its order, with its time."""

from __future__ import annotations

import dataclasses

from harness.cli.telling import gathered
from harness.report.terminal import again
from tests.report.stories import STORIES


def row(name, started_at, seconds, file, command, seed=7):
    made = STORIES["undelivered"]()
    plan = dataclasses.replace(made.plan, name=name, file=file)
    env = {**made.env, "command": command.split()}
    return made._replace(plan=plan, started_at=started_at, duration_ns=seconds * 10**9, env=env, seed=seed)


def side_by_side(command="chatsim run scenarios -j 2"):
    return [
        row("a", "2026-11-22T15:30:02.000+00:00", 3, "scenarios/a.yaml", command),
        row("b", "2026-11-22T15:30:00.000+00:00", 4, "scenarios/b.yaml", command),
        row("c", "2026-11-22T15:30:00.500+00:00", 1, "scenarios/c.yaml", command),
    ]


def test_rows_keep_the_order_in_which_they_began_and_side_by_side_they_take_no_longer():
    told = gathered(side_by_side(), "reports/x")
    assert [each.name for each in told.rows] == ["b", "c", "a"]
    assert told.elapsed_ns == 5 * 10**9


def test_a_row_that_does_not_say_when_it_began_is_last_and_the_sum_is_told():
    told = gathered([row("z", "", 2, "z.yaml", "chatsim run z.yaml"), *side_by_side()], "reports/x")
    assert [each.name for each in told.rows] == ["b", "c", "a", "z"]
    assert told.elapsed_ns == 10 * 10**9


def test_what_is_played_again_is_named_instead_of_what_was_typed():
    _, _, last = side_by_side()
    for typed in ("scenarios", "scenarios/c.yaml scenarios/gone.yaml", "."):
        told = gathered([last._replace(env={"command": ["chatsim", "run", *typed.split(), "-j", "2"]})], "x")
        assert again(told, told.rows) == "chatsim run scenarios/c.yaml -j 2 --seed 7"
    value = gathered([last._replace(env={"command": ["chatsim", "run", "s", "--reports", "."]})], "x")
    assert value.paths == ()
