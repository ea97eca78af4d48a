"""The schemas of report.json and verdicts.json: fresh, draft-07, and exactly what is written."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from harness.cli.commands import chatsim
from harness.model.verdict import Judgement
from harness.report import json_
from harness.report.model import Invocation
from harness.report.schema import report_schema, verdicts_schema
from tests.report.stories import STORIES
from tests.report.test_golden import GOLDEN

ROOT = Path(__file__).resolve().parents[2]


def strict(schema: dict[str, Any]) -> Draft7Validator:
    """The schema as no reader should have it: what it does not name is a mistake."""

    def close(part: Any) -> None:
        if isinstance(part, dict):
            if "properties" in part:
                part["additionalProperties"] = False
            for inner in part.values():
                close(inner)
        elif isinstance(part, list):
            for inner in part:
                close(inner)

    closed = copy.deepcopy(schema)
    close(closed)
    return Draft7Validator(closed)


def complaints(schema: dict[str, Any], data: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in strict(schema).iter_errors(data)]


@pytest.mark.parametrize("name", ["report", "verdicts"])
def test_they_are_fresh_and_of_draft_07(name):
    file = ROOT / "schema" / f"{name}.v1.json"
    printed = CliRunner().invoke(chatsim, ["schema", name]).output
    assert file.read_text(encoding="utf-8") == printed, f"run `chatsim schema {name} > schema/{name}.v1.json`"
    schema = json.loads(printed)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("name", sorted(STORIES))
def test_every_report_is_as_described_and_no_key_is_left_out(name):
    row = STORIES[name]()
    assert complaints(report_schema(), json_.to_json(Invocation(rows=(row,), seed=3))) == []
    if row.judgement is not None:
        assert complaints(verdicts_schema(), json.loads(json.dumps(row.judgement.to_json()))) == []


def test_the_empty_and_the_golden_report_are_as_described():
    assert complaints(report_schema(), json_.to_json(Invocation(rows=()))) == []
    assert complaints(report_schema(), json.loads((GOLDEN / "report.json").read_text())) == []


def test_what_is_wrong_is_seen():
    data = json_.to_json(Invocation(rows=(STORIES["undelivered"](),)))
    del data["rows"][0]["verdicts"][0]["violations"]
    data["rows"][0]["steps"][0]["status"] = "perhaps"
    data["rows"][0]["more"] = 1
    assert len(complaints(report_schema(), data)) == 3


def test_verdicts_that_fit_the_schema_are_read_again():
    judgement = STORIES["undelivered"]().judgement
    assert judgement is not None
    assert Judgement.from_json(json.loads(json.dumps(judgement.to_json()))) == judgement
