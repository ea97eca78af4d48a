"""Whatever stands in a file: never an exception, always places inside the file, and plans that survive JSON."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.plan import Plan
from harness.source import compile_plan, explain, load, render
from harness.source.codes import CODES

WORDS = st.sampled_from(
    [
        *(
            "scenario",
            "clients",
            "rooms",
            "steps",
            "inboxes",
            "listen",
            "seed",
            "tags",
            "receive",
            "invariants",
        ),
        *("connect", "disconnect", "send", "expect", "wait", "parallel", "kill", "create", "matrix", "<<"),
        *(
            "from",
            "to",
            "id",
            "repeat",
            "every",
            "outcome",
            "refused",
            "after",
            "at",
            "within",
            "received_by",
            "not_by",
        ),
        *(
            "members",
            "admins",
            "count",
            "name",
            "user",
            "everyone_else",
            "interleaved",
            "stream",
            "poll",
            "${n}",
        ),
        *("alice", "bob", "line", "line.*", "line.1", "line.alice.*", "lobby", "user-1..3", "u-3..1"),
        *("2s", "500ms", "2", "any", "none", "all", "PERMISSION_DENIED"),
    ]
)
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-5, 10**30), st.floats(allow_nan=False), st.text(max_size=5)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(WORDS, st.text(max_size=4)), inner, max_size=5)
    ),
    max_leaves=25,
)
STEPS = st.lists(st.dictionaries(WORDS, SCALARS | st.lists(WORDS, max_size=3), max_size=5), max_size=6)
SCENARIOS = st.fixed_dictionaries(
    {
        "scenario": st.just("x"),
        "clients": st.sampled_from(
            [["alice", "bob"], {"alice": {}, "u": 3}, {"alice": {"user": "bob"}, "bob": None}]
        ),
        "rooms": st.sampled_from(
            [{"lobby": ["alice", "bob"]}, {"a": ["alice"], "b": ["bob"]}, {}, {"lobby": "bob"}]
        ),
        "steps": st.one_of(STEPS, TREES),
    },
    optional={"inboxes": st.one_of(TREES, st.dictionaries(WORDS, st.lists(WORDS, max_size=3), max_size=3))},
)


def check(text: str) -> None:
    plan, diagnostics = compile_plan(text, "x.yaml", "x")
    assert (plan is None) == any(item.severity == "error" for item in diagnostics)
    assert {item.code for item in diagnostics} <= CODES.keys()
    assert render(diagnostics, color=True, sources={"x.yaml": text}).count("\n") >= len(diagnostics)
    if plan is not None:
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
        assert explain(plan)
        for step in plan.steps:
            assert step.pointer in plan.spans


@given(st.text())
def test_any_text(text):
    check(text)


@given(st.binary())
def test_any_bytes(tmp_path_factory, raw):
    path: Path = tmp_path_factory.mktemp("bytes") / "x.yaml"
    path.write_bytes(raw)
    loaded = load([str(path)])
    assert loaded.failed


@given(TREES)
def test_any_tree(tree):
    check(yaml.safe_dump(tree, allow_unicode=True))


@settings(max_examples=300)
@given(SCENARIOS)
def test_anything_like_a_scenario(tree):
    check(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))


@given(st.data())
def test_a_scenario_with_a_hole(data):
    text = (Path(__file__).parent.parent.parent / "scenarios" / "basic.yaml").read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    check(text[:start] + data.draw(st.text(max_size=5)) + text[end:])
