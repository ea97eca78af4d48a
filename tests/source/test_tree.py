"""YAML 1.2 core schema, places, and the equality of libyaml and PyYAML's own parser."""

from __future__ import annotations

import pytest
import yaml

from harness.model.span import Span
from harness.source.tree import parse, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("y", "y"), ("true", True), ("False", False), ("~", None),
        ("null", None), ("nUll", "nUll"), ("010", 10), ("0o10", 8), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"),
        ("1:30", "1:30"), ("-7", -7), ("+7", 7), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), (".", "."),
        ("-.inf", float("-inf")), ("2026-11-22", "2026-11-22"), ("<<", "<<"), ("=", "="), ("9" * 5000, "9" * 5000),
        ("", None), ("-", "-"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_core_schema(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def data(text):
    tree, faults = parse(text, "x.yaml")
    assert tree is not None
    assert faults == []
    return tree.data


def test_quoted_is_text():
    assert data("a: '1'\nb: \"true\"\nc: !!str 12\nd: |\n  null\n") == {
        "a": "1",
        "b": "true",
        "c": "12",
        "d": "null\n",
    }


def test_keys_are_text():
    assert data("{no: 1, 12: 2, true: 3, null: 4}") == {"no": 1, "12": 2, "true": 3, "null": 4}


def test_anchors_and_merges():
    assert data("a: &a {x: 1, y: [2]}\nb: *a\nc: {<<: *a, x: 3}\nd:\n  <<: [{z: 4}, *a]\n") == {
        "a": {"x": 1, "y": [2]},
        "b": {"x": 1, "y": [2]},
        "c": {"x": 3, "y": [2]},
        "d": {"z": 4, "x": 1, "y": [2]},
    }


def test_places():
    tree, _ = parse("a: [x, 'é', y]\nb:\n  - c: 1\n    d/e: z\n", "x.yaml")
    assert tree is not None
    assert tree.values["/a"] == Span(1, 4, 11)
    assert tree.values["/a/2"] == Span(1, 13, 1)
    assert tree.keys["/b"] == tree.values["/b"] == Span(2, 1, 1)
    assert tree.values["/b/0/d~1e"] == Span(4, 10, 1)
    assert tree.place("/b/0/nothing/here") == tree.values["/b/0"]


@pytest.mark.parametrize(
    "text",
    [
        "a: [x, 010, no, &b {c: 1}]\nb: *b\n",
        "- a\n- {b: 'c', d: \"e\"}\n- >\n  folded\n  text\n- !!int 3\n",
        "a: {b: [1, [2, [3]]]}\n# end\n",
        "é: 漢字\n'x y': 1\n",
    ],
)
def test_without_libyaml_all_is_the_same(text, monkeypatch):
    fast, fast_faults = parse(text, "x.yaml")
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    slow, slow_faults = parse(text, "x.yaml")
    assert fast is not None
    assert slow is not None
    assert (fast.data, fast.values, fast.keys, fast_faults) == (
        slow.data,
        slow.values,
        slow.keys,
        slow_faults,
    )


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "a: 'x", "a:\n\t- b", "@x", "a: *z*", "? [a]\n: b", "[" * 90000]
)
def test_without_libyaml_faults_have_places_too(text, monkeypatch):
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    _, faults = parse(text, "x.yaml")
    assert faults
    assert all(item.line >= 1 for item in faults)
