"""The published schema: fresh, draft-07, described throughout, and of the loader's opinion where it can have one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from harness.cli.commands import chatsim
from harness.source.loader import load
from harness.source.schema import PATH, scenario_schema
from harness.source.tree import parse
from harness.verbs import VERBS
from harness.verbs.keys import table

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads((ROOT / PATH).read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA)
SHIPPED = sorted((ROOT / "scenarios").rglob("*.yaml"))
BAD = sorted((ROOT / "tests" / "bad").glob("*.yaml"))

#: Faults of words. What is left to the loader is what only it can know: names, ids, what happened before.
SEEN_BY_BOTH = {
    "unknown-key",
    "unknown-verb",
    "no-verb",
    "missing-key",
    "bad-duration",
    "unknown-status",
    "wrong-type",
}

STEP = {"scenario": "x", "clients": ["alice"], "rooms": {"lobby": ["alice"]}}


def complaints(data: object) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(data)]


def data_of(path: Path) -> Any:
    tree, _ = parse(path.read_text(encoding="utf-8"), path.name)
    return tree.data if tree else None


def test_it_is_fresh():
    printed = CliRunner().invoke(chatsim, ["schema"]).output
    assert (ROOT / PATH).read_text(encoding="utf-8") == printed, f"run `chatsim schema > {PATH}`"


def test_it_is_a_schema_of_draft_07():
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    later = {
        "$defs",
        "dependentSchemas",
        "dependentRequired",
        "unevaluatedProperties",
        "prefixItems",
        "minContains",
    }
    assert not later & {key for part in parts(SCHEMA) for key in part}


def parts(data: object) -> Iterator[dict[str, Any]]:
    """Every object within."""
    if isinstance(data, dict):
        yield data
    for item in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from parts(item)


def test_every_key_has_a_description_and_every_reference_leads_somewhere():
    for part in parts(SCHEMA):
        for name, schema in part.get("properties", {}).items():
            assert schema["description"], name
        if "$ref" in part:
            assert part["$ref"].removeprefix("#/definitions/") in SCHEMA["definitions"]


def test_no_modifier_has_the_name_of_a_verb():
    """By its keys a step is known: a schema can only choose the verb if no other step may have its word."""
    for verb in VERBS.values():
        assert not (table(verb.keys).keys() - {verb.name}) & VERBS.keys()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_are_valid_and_name_the_schema(path):
    assert complaints(data_of(path)) == []
    modeline = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text(encoding="utf-8"))
    assert modeline, f"{path.name}: its first line must name the schema"
    assert (path.parent / modeline[1]).resolve() == ROOT / PATH


def test_a_file_with_every_word_is_valid():
    assert complaints(data_of(ROOT / "tests" / "source" / "explained" / "every_word.yaml")) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_it_objects_where_the_loader_objects_to_words(path):
    loaded = load([str(path)])
    data = data_of(path)
    if data is not None and SEEN_BY_BOTH & {item.code for item in loaded.diagnostics} - {"wrong-type"}:
        assert complaints(data), f"only the loader objects to {path.name}"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"sned": "hi", "from": "alice"}, "'sned' is not one of ['connect'"),
        ({"connect": "alice", "form": "alice"}, "'form' is not one of ['connect'"),
        ({"connect": "alice", "repeat": 3}, "'repeat' was unexpected"),
        ({"from": "alice"}, "{'from': 'alice'} is not valid"),
        ({"connect": "alice", "wait": "2s"}, "'wait' was unexpected"),
        ({"send": "hi"}, "'from' is a required property"),
        ({"wait": 2}, "2 is not of type 'string'"),
        ({"wait": "2 s"}, "'2 s' does not match"),
        ({"connect": "alice", "refused": "DENIED"}, "'DENIED' is not one of ['CANCELLED'"),
        ("connect", "'connect' is not of type 'object'"),
    ],
)
def test_wrong_steps_are_said_in_the_words_of_their_verb(step, said):
    found = complaints({**STEP, "steps": [step]})
    assert any(said in complaint for complaint in found), found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"step": []}, "'step' was unexpected"),
        ({"clients": {"alice": {"nmae": "x"}}}, "'nmae' was unexpected"),
        ({"clients": []}, "[] should be non-empty"),
        (
            {"rooms": {"lobby": {"members": [], "entry": "closed"}}},
            "'closed' is not one of ['invite', 'open']",
        ),
        ({"inboxes": {"alice": [{"merged": ["a.*", "b.*"]}]}}, "'merged' was unexpected"),
        ({"invariants": {"no-loss": "off"}}, "'off' is not one of ['required']"),
        ({"invariants": "none"}, "'none' does not match '^all$'"),
    ],
)
def test_wrong_words_elsewhere(change, said):
    found = complaints({**STEP, "steps": [{"connect": "alice"}], **change})
    assert any(said in complaint for complaint in found), found


def test_the_functions_and_the_file_agree():
    assert scenario_schema() == SCHEMA
