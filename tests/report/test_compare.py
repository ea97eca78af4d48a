"""`chatsim report --compare A B`: what counts as a difference, and how it is told."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.report import command
from harness.model.history import Op
from harness.report.compare import Side, compare, plan_difference, tell
from harness.report.look import Look
from harness.report.views import percentile, views_of
from tests.report.html.test_files import write
from tests.report.story import Story, a_plan, story_of
from tests.report.test_golden import check


def side(row, label="reports/a", ops=None):
    return Side(label, row, views_of(row.plan, story_of(row).ops if ops is None else ops))


def compared(a, b, look=Look()):  # noqa: B008 - a Look is a value
    return tell(a, b, compare(a, b), look)


def deliveries(*seen):
    """A history in which clients get messages: (client, id), …"""
    return [
        Op(
            n,
            n,
            client,
            "ok",
            "deliver",
            {"room": "lobby", "id": name, "client_message_id": f"{n}", "text": "x"},
        )
        for n, (client, name) in enumerate(seen)
    ]


def differences(a, b, row):
    found = compare(side(row, ops=deliveries(*a)), side(row, ops=deliveries(*b)))
    return [(item.about, item.said) for item in found.differences]


def test_a_pass_and_a_failure(tell):
    check("compare.txt", compared(side(tell("passes")), side(tell("undelivered"), "reports/b")) + "\n")


def test_a_run_is_equal_to_itself(told):
    _, row = told
    found = compare(side(row), side(row))
    assert found.equal
    assert not found.plans


def test_everything_fits_the_width(tell):
    names = ("passes", "undelivered", "echo", "leak", "fifty_clients", "server_died", "hostile")
    for a, b in itertools.combinations(names, 2):
        for width in (60, 100):
            text = compared(side(tell(a)), side(tell(b)), Look(width=width))
            assert all(len(line) <= width for line in text.split("\n") if line.isascii()), (a, b)
        assert compared(side(tell(a)), side(tell(b)), Look(ascii=True)).isascii()


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([("bob", "x"), ("bob", "y")], [("bob", "x"), ("bob", "y")], []),
        ([("bob", "x")], [("bob", "x"), ("bob", "y")], [("bob", "only in B: y")]),
        (
            [("bob", "x"), ("bob", "y")],
            [("bob", "y"), ("bob", "x")],
            [("bob", "x before y in A, after it in B")],
        ),
        ([("bob", "x")], [("bob", "x"), ("bob", "x")], [("bob", "x came 1 time in A, 2 times in B")]),
        # What came in one run only says nothing about the order of the others.
        ([("bob", "x"), ("bob", "y")], [("bob", "z"), ("bob", "x"), ("bob", "y")], [("bob", "only in B: z")]),
        # Another order among different people is none that anybody saw.
        ([("bob", "x"), ("chad", "x")], [("chad", "x"), ("bob", "x")], []),
    ],
)
def test_what_a_member_saw_differently(tell, a, b, said):
    assert differences(a, b, tell("passes")) == said


def test_a_message_nobody_scripted_is_known_by_its_text(tell):
    ops = [
        [
            Op(
                0,
                0,
                "bob",
                "ok",
                "deliver",
                {"room": "lobby", "id": None, "client_message_id": name, "text": "boo"},
            )
        ]
        for name in ("0198", "0199")
    ]
    row = tell("passes")
    assert compare(side(row, ops=ops[0]), side(row, ops=ops[1])).equal


def test_other_answers_to_a_send(tell):
    one, other = Story().begin(), Story().begin()
    one.sent()
    other.sent(answer="fail PERMISSION_DENIED")
    row = tell("passes")
    (found,) = compare(side(row, ops=one.ops), side(row, ops=other.ops)).differences
    assert found.about == "sends"
    assert found.said.startswith("hello: ok in A, ")


def waiting(*ms):
    """A history in which bob sends every second, and alice gets it after so many ms, chad at once."""
    story = Story().begin()
    for number, late in enumerate(ms, start=1):
        name, at = f"m.{number}", 1_000 * number
        value = story.message(id=name, client_message_id=name)
        begun = story.op(at, "bob", "invoke", "send", value, op=100 + number)
        story.op(at + 2, "bob", "ok", "send", {**value, "sequence": number}, op=100 + number)
        assert begun
        story.got(at + 2, "chad", id=name, client_message_id=name)
        story.got(at + 2 + late, "alice", id=name, client_message_id=name)
    return story.ops


def test_times_are_shown_and_are_no_difference(tell):
    row = tell("passes")
    a, b = side(row, ops=waiting(*[1] * 100)), side(row, ops=waiting(*[1] * 98, 400, 500))
    assert compare(a, b).equal
    told = " ".join(compared(a, b).split())
    assert "answers p50 2.0 ms in A, 2.0 ms in B" in told
    assert "deliveries p50 at once in both, p99 1.0 ms in A, 1.0 ms in B" in told
    assert "alice: p50 1.0 ms in A, 1.0 ms in B, p99 1.0 ms in A, 400.0 ms in B" in told
    assert "chad:" not in told


def test_another_seed_or_server_is_said_and_is_no_difference(tell):
    row = tell("passes")
    other = row._replace(seed=row.seed + 1, env={**row.env, "server": "./mine {port}"})
    ops = story_of(row).ops
    a, b = side(row._replace(env={**row.env, "server": "chatsys"}), ops=ops), side(other, ops=ops)
    found = compare(a, b)
    assert (found.equal, found.plans) == (True, "")
    told = compared(a, b)
    assert f"  seed         {row.seed} in A, {other.seed} in B\n" in told
    assert "  server       chatsys in A\n               ./mine {port} in B\n" in told
    assert "driver" not in told
    assert "seed" not in compared(a, a)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_times_with_that_share_at_or_below_it(times, share):
    found = percentile(times, share)
    assert found in times
    assert sum(ns <= found for ns in times) >= share * len(times) - 1e-9
    assert sum(ns < found for ns in times) < share * len(times) + 1e-9


def test_plans_that_differ_are_said_to():
    plan = a_plan()
    assert plan_difference(plan, dataclasses.replace(plan, name="other", file="b.yaml", source="# x")) == ""
    # What is drawn from the seed stands in the plan: where nothing is, it makes no difference.
    assert plan_difference(plan, dataclasses.replace(plan, seed=8)) == ""
    changed = dataclasses.replace(plan, steps=plan.steps[:1], inboxes=())
    assert plan_difference(plan, changed) == f"steps (from line {plan.line(plan.steps[1].pointer)}), inboxes"


@pytest.fixture
def runs(tmp_path, tell):
    """Two runs: `one` is the same in both, `two` is not, and each has one more."""
    for run, second in (("a", "passes"), ("b", "undelivered")):
        for name, story in (("one", "passes"), ("two", second), (f"only-{run}", "passes")):
            row = tell(story)
            write(tmp_path / run / name, row)
            (tmp_path / run / name / "verdicts.json").write_text(json.dumps(row.judgement.to_json()))
    return tmp_path


def report(*words):
    return CliRunner().invoke(command, ["--compare", *map(str, words)])


def test_rows_are_paired_by_name_and_nothing_is_written(runs):
    before = sorted(runs.rglob("*"))
    done = report(runs / "a", runs / "b")
    assert done.exit_code == 1, done.output
    assert "only in A: only-a" in done.output
    assert "chad         only in A: hello" in done.output
    assert done.output.splitlines()[-1] == "2 scenarios compared: they differ"
    assert sorted(runs.rglob("*")) == before


def test_codes_are_those_of_diff(runs):
    assert report(runs / "a" / "one", runs / "b" / "one").exit_code == 0
    assert report(runs / "a" / "two", runs / "b" / "two").exit_code == 1
    assert report(runs / "a" / "two", runs / "b" / "nowhere").exit_code == 2


def test_runs_without_a_scenario_in_common(runs, tell):
    write(runs / "c" / "x", tell("passes"))
    write(runs / "c" / "y", tell("passes"))
    done = report(runs / "a", runs / "c")
    assert done.exit_code == 2
    assert "have no scenario in common" in done.output
    assert report(runs / "a", runs / "b", "reports/x").exit_code == 2
