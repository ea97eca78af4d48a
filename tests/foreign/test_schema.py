"""schema/driver.v1.json describes every line of real conversations, and no line that breaks the protocol."""

import json
import os
import shlex
import subprocess
import sys
from collections import Counter

import jsonschema
import pytest

from tests.foreign.conftest import EXAMPLES, ROOT, python

SCHEMA = json.loads((ROOT / "schema" / "driver.v1.json").read_text())
COURSE = python(EXAMPLES / "course" / "server.py") + " {port} {member_numbers}"


def validator(definition):
    """What checks one kind of line."""
    part = {"$ref": "#/definitions/" + definition.replace(" ", "%20"), "definitions": SCHEMA["definitions"]}
    return jsonschema.Draft7Validator(part)


def conversations(folder):
    """Every recorded line: (kind of line, line); an answer's kind is that of its request."""
    for path in sorted(folder.glob("*.lines")):
        asked = {}
        for raw in path.read_bytes().splitlines():
            line = json.loads(raw[1:])
            if raw[:1] == b">":
                asked[line["id"]] = line["op"]
                yield f"request {line['op']}", line
            elif "event" in line:
                yield f"event {line['event']}", line
            else:
                yield f"answer {asked[line['id']]}", line


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_everything_has_a_description():
    def bare(part, path):
        if isinstance(part, dict):
            if part.get("type") and "description" not in part and path[-2:-1] == ("properties",):
                yield "/".join(path)
            for key, value in part.items():
                yield from bare(value, (*path, key))

    found = [path for path in bare(SCHEMA["definitions"], ()) if not path.endswith(("/ok", "/op", "/event"))]
    assert not found


@pytest.mark.parametrize(
    ("driver", "server", "kinds"),
    [
        (
            ("-m", "harness.drivers.chatsys"),
            None,
            {"answer history", "event claim", "event ack", "event acked"},
        ),
        ((EXAMPLES / "course" / "driver.py",), COURSE, {"event poll", "event polled"}),
    ],
    ids=["chatsys", "course"],
)
def test_real_conversations(chatsim, tmp_path, driver, server, kinds):
    folder = tmp_path / "lines"
    folder.mkdir()
    words = ("--server", server) if server else ()
    tee = python("-m", "harness.drivers.tee", folder, *shlex.split(python(*driver)))
    ran = chatsim("run", ROOT / "scenarios" / "basic.yaml", "--speed", "max", "--driver", tee, *words)
    assert ran.code == 0, ran
    seen = Counter()
    for kind, line in conversations(folder):
        validator(kind).validate(line)
        seen[kind] += 1
    assert seen["event deliver"] >= 4
    assert seen.keys() >= kinds | {
        "event hello",
        "request setup",
        "answer send",
        "request fence",
        "answer bye",
    }


BAD = {
    "request": [
        {},
        {"id": 1},
        {"id": "1", "op": "bye"},
        {"id": 1, "op": "dance"},
        {"id": 1, "op": "send", "room": "r", "message": "m"},
        {"id": 1, "op": "fence", "within_ms": 10},
        {"id": 1, "op": "fence", "markers": {"r": ["m"]}},
        {"id": 1, "op": "send", "room": "r", "message": "m", "text": "t", "within_ms": 0},
    ],
    "answer": [
        {"id": 1},
        {"id": 1, "ok": {}, "error": {"code": "UNKNOWN", "reason": "", "message": "", "definite": False}},
        {"id": None, "ok": {}},
        {"id": 1, "error": {"code": "NOPE", "reason": "", "message": "", "definite": False}},
        {"id": 1, "error": {"code": "UNKNOWN", "reason": "", "message": ""}},
        {"id": 1, "ok": []},
    ],
    "event": [
        {"event": "hello", "driver": "x", "protocol": 2, "capabilities": []},
        {"event": "hello", "driver": "x", "protocol": 1, "capabilities": ["warp"]},
        {"event": "deliver", "message": {"room": "r", "message": "m", "sender": "s"}},
        {"event": "polled", "poll": 1},
        {"event": "connection", "state": "gone"},
        {"event": "dance"},
    ],
}


@pytest.mark.parametrize(
    ("kind", "line"), [(kind, line) for kind, lines in BAD.items() for line in lines], ids=str
)
def test_a_line_that_breaks_the_protocol_is_none(kind, line):
    assert not validator(kind).is_valid(line)
    assert kind == "request" or not jsonschema.Draft7Validator(SCHEMA).is_valid(line)


def test_the_capabilities_are_those_that_chatsim_knows():
    from harness.drivers.base import OPS
    from harness.run.conformance import CAPABILITIES, GUARDED

    words = SCHEMA["definitions"]["event hello"]["properties"]["capabilities"]["items"]["enum"]
    assert words == list(CAPABILITIES)
    assert {op: word for op, word in OPS.items() if word} == {**GUARDED, "rotate_keys": "keys"}
    assert {f"request {op}" for op in OPS} < SCHEMA["definitions"].keys()
    page = (ROOT / "docs" / "driver-protocol.md").read_text()
    for word in words:
        assert f"`{word}`" in page


def test_the_transcript_of_the_page_is_by_the_schema():
    page = (ROOT / "docs" / "driver-protocol.md").read_text()
    transcript = page.split("```text\n")[1].split("```")[0].splitlines()
    asked, answered = {}, set()
    for said in transcript:
        line = json.loads(said[2:])
        if said.startswith("> "):
            asked[line["id"]] = line["op"]
            kind = f"request {line['op']}"
        elif "event" in line:
            kind = f"event {line['event']}"
        else:
            kind = f"answer {asked[line['id']]}"
            answered.add(line["id"])
        validator(kind).validate(line)
    assert asked.keys() == answered


def test_the_driver_of_the_page_runs(tmp_path):
    """With a chat library that does nothing, it keeps the protocol."""
    page = (ROOT / "docs" / "driver-protocol.md").read_text()
    code = next(block for block in page.split("```python\n")[1:]).split("```")[0]
    assert len(code.splitlines()) <= 50
    (tmp_path / "driver.py").write_text(code)
    (tmp_path / "mychat.py").write_text("class Forbidden(Exception): pass\n")
    command = [sys.executable, str(tmp_path / "driver.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, input=b"", capture_output=True, env=environment, timeout=60, check=True)
    hello = json.loads(ended.stdout)
    validator("event hello").validate(hello)
    assert hello["driver"] == "mychat 1.0"


def test_the_rules_that_a_check_quotes_stand_on_the_page():
    from harness.run import protocol_rules

    page = " ".join((ROOT / protocol_rules.PAGE).read_text().split())
    rules = [
        value
        for name, value in vars(protocol_rules).items()
        if name.strip("_").isupper() and isinstance(value, str)
    ]
    assert len(rules) > 8
    for rule in rules:
        assert rule in page or rule == protocol_rules.PAGE, rule
