"""The manual of the language: fresh, complete, and its examples are scenarios."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.commands import chatsim
from harness.source.compile import ScenarioKeys, compile_plan
from harness.source.examples import EXAMPLES
from harness.source.reference import PATH
from harness.verbs import VERBS
from harness.verbs.keys import table

ROOT = Path(__file__).resolve().parents[2]

AROUND = """
scenario: An example
clients: [alice, bob, chad, doug]
rooms: {lobby: [alice, bob, chad], garden: [alice]}
steps:
"""
BEFORE = """
- connect: [alice, bob, chad]
- {send: hello, from: alice, to: lobby, id: hello}
- {send: line, from: alice, to: lobby, id: line, repeat: 3}
"""


def test_it_is_fresh():
    printed = CliRunner().invoke(chatsim, ["schema", "--reference"]).output
    assert (ROOT / PATH).read_text(encoding="utf-8") == printed, f"run `chatsim schema --reference > {PATH}`"


def test_every_verb_and_key_is_in_it():
    page = (ROOT / PATH).read_text(encoding="utf-8")
    for name in [*table(ScenarioKeys), *(key for verb in VERBS.values() for key in table(verb.keys))]:
        assert f"| `{name}` |" in page, name
    for name in VERBS:
        assert f"\n### {name}\n" in page


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_an_example_that_the_reader_takes(name):
    assert name in EXAMPLES, f"harness/source/examples.py has no example for `{name}`"
    before = "" if name == "connect" else BEFORE
    source = AROUND + textwrap.indent(before + EXAMPLES[name], "  ")
    plan, found = compile_plan(source, "example.yaml", "example")
    assert plan is not None, [item.message for item in found]
    assert name in {step.action.verb for step in plan.steps}


def test_there_is_no_example_without_a_verb():
    assert EXAMPLES.keys() <= VERBS.keys()
