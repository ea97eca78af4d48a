"""The JSON Schema of a scenario, for editors: made from the tables of keys that the reader reads by.

Words of draft-07 only, which is what editors know. It says what may stand where, with a description on every key;
what only the loader can know (names, ids, who is online) is for `chatsim check`.

A step is an object with a description for each verb, and one `if` a verb that chooses the schema of its modifiers.
So an editor offers verbs first and then the modifiers of this verb, and a mistake is said in the words of one verb
instead of "not valid under any of the given schemas". `#/definitions/step` is for steps within steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.verdict import INVARIANTS
from harness.source.cast_keys import ClientKeys, RoomKeys
from harness.source.compile import ScenarioKeys
from harness.source.inboxes import EVERYONE_ELSE
from harness.source.limits import LimitsKeys
from harness.source.nemesis import NOT_HERE, NemesisKeys
from harness.source.server import ServerKeys, options_schema
from harness.source.workload import WorkloadKeys
from harness.verbs import FAULT_VERBS, VERBS
from harness.verbs.items import INTERLEAVED
from harness.verbs.keys import StepKeys, schema, table
from harness.verbs.kinds import MAX_COUNT

#: Where the repository keeps it, and what the first line of a scenario names.
PATH = "schema/scenario.v1.json"
_TEXT = {"type": "string"}
_VARIABLE = {"type": "string", "pattern": r"\$\{[^{}]+\}"}


def scenario_schema() -> dict[str, Any]:
    """Return the schema as plain data, ready for JSON."""
    top = schema(ScenarioKeys)
    # A scenario that is all chance has no script.
    top["required"] = [name for name in top["required"] if name != "steps"]
    top["anyOf"] = [{"required": [name]} for name in ("steps", "workload")]
    for name, part in _PARTS.items():
        # The description stays that of the table.
        top["properties"][name] = {**part, "description": top["properties"][name]["description"]}
    definitions = {
        "client": _client(),
        "room": _room(),
        "inbox": _inbox(),
        "inbox_of_room": _inbox_of_room(),
        "inbox_item": _inbox_item(),
        "workload": schema(
            WorkloadKeys,
            description="Random traffic, drawn from the seed.",
            oneOf=[{"required": ["for"]}, {"required": ["count"]}],
        ),
        "nemesis": _nemesis(),
        "limits": schema(LimitsKeys, description="How long deliveries may take."),
        "server": _server(),
        "fault": _fault(),
        "step": _step(),
        **{f"step_{name}": schema(verb.keys, description=verb.summary) for name, verb in VERBS.items()},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "scenario.v1.json",
        "title": "A chatsim scenario, version 1",
        "description": "A cast, rooms, one script, and what everybody must have received by the end.",
        **_fillable(top),
        "definitions": {name: _fillable(part) for name, part in definitions.items()},
    }


def _fillable(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that also lets `${name}` stand where a value is wanted: the loader knows what for."""
    made = dict(part)
    if isinstance(inside := made.get("properties"), Mapping):
        made["properties"] = {name: _fillable(value) for name, value in inside.items()}
    for key in ("items", "additionalProperties"):
        if isinstance(inside := made.get(key), Mapping):
            made[key] = _fillable(inside)
    kinds = made.get("type", [])
    kinds = set(kinds if isinstance(kinds, list) else [kinds])
    strict = made.keys() & {"enum", "const", "pattern"} or ("anyOf" in made and "object" not in kinds)
    if not strict and ("string" in kinds or not kinds & {"integer", "number", "boolean"}):
        return made
    if "anyOf" in made:
        made["anyOf"] = [_fillable(option) for option in made["anyOf"]]
    shown: dict[str, Any] = {key: made.pop(key) for key in ("description", "default") if key in made}
    return {**shown, "if": _VARIABLE, "else": made}


def _client() -> dict[str, Any]:
    keys = schema(ClientKeys, description="One client: nothing, its keys, or how many there are of it.")
    return {**keys, "type": ["null", "integer", "object"], "minimum": 1, "maximum": MAX_COUNT}


def _clients() -> Mapping[str, Any]:
    return {
        "type": ["array", "object"],
        "items": _TEXT,
        "minItems": 1,
        "additionalProperties": {"$ref": "#/definitions/client"},
        "minProperties": 1,
    }


def _room() -> dict[str, Any]:
    keys = schema(RoomKeys, description="One room: its members, or its keys.")
    return {**keys, "type": ["null", "string", "array", "object"], "items": _TEXT}


def _rooms() -> Mapping[str, Any]:
    return {"type": "object", "additionalProperties": {"$ref": "#/definitions/room"}}


def _invariants() -> Mapping[str, Any]:
    families = {
        name: {
            "enum": ["required"],
            "description": f"The run is unknown unless {name} had something to judge.",
        }
        for name in INVARIANTS
    }
    return {
        "type": ["string", "object"],
        "pattern": "^all$",
        "properties": families,
        "additionalProperties": False,
    }


def _inboxes() -> Mapping[str, Any]:
    rest = {
        "description": "What each client that is not named here must have received.",
        "allOf": [{"$ref": "#/definitions/inbox"}],
    }
    return {
        "type": "object",
        "properties": {EVERYONE_ELSE: rest},
        "additionalProperties": {"$ref": "#/definitions/inbox"},
    }


def _inbox() -> dict[str, Any]:
    return {
        "description": "What one client must have received, exactly and in order; by room when it is in several.",
        "type": ["string", "array", "object"],
        "items": {"$ref": "#/definitions/inbox_item"},
        "if": {"type": "object", "required": [INTERLEAVED]},
        "then": {"$ref": "#/definitions/inbox_item"},
        "else": {"additionalProperties": {"$ref": "#/definitions/inbox_of_room"}},
    }


def _inbox_of_room() -> dict[str, Any]:
    return {
        "description": "What it must have received in this room, exactly and in order.",
        "type": ["string", "array", "object"],
        "items": {"$ref": "#/definitions/inbox_item"},
        "if": {"type": "object"},
        "then": {"$ref": "#/definitions/inbox_item"},
    }


def _inbox_item() -> dict[str, Any]:
    merged = {
        "type": "array",
        "items": _TEXT,
        "minItems": 2,
        "description": "Series whose messages may come in any merge of their orders: `[a.*, b.*]`.",
    }
    return {
        "description": "The id of a message, `line.*` for a whole series, or series merged in any way.",
        "type": ["string", "object"],
        "properties": {INTERLEAVED: merged},
        "required": [INTERLEAVED],
        "additionalProperties": False,
    }


def _step() -> Mapping[str, Any]:
    words = dict.fromkeys(VERBS) | dict.fromkeys(name for verb in VERBS.values() for name in table(verb.keys))
    return {
        "type": "object",
        "description": "One verb and its modifiers.",
        "properties": {name: {"description": verb.summary} for name, verb in VERBS.items()},
        "propertyNames": {"enum": list(words)},
        "anyOf": [{"required": [name]} for name in VERBS],
        "allOf": [
            {"if": {"required": [name]}, "then": {"$ref": f"#/definitions/step_{name}"}} for name in VERBS
        ],
    }


def _server() -> dict[str, Any]:
    keys = schema(ServerKeys, description="What the server is told that chatsim starts.")
    keys["properties"]["options"] |= options_schema()
    return keys


def _nemesis() -> dict[str, Any]:
    keys = schema(NemesisKeys, description="Random faults, drawn from the seed, while the workload goes on.")
    keys["properties"]["faults"]["items"] = {"$ref": "#/definitions/fault"}
    return keys


def _fault() -> Mapping[str, Any]:
    """A fault as in a step, but that the nemesis says when, and that it may be for `{any: N}`."""
    return {
        "type": "object",
        "description": "One fault; it must end by itself. `{any: 3}` hits three clients of the workload.",
        "properties": {name: {"description": VERBS[name].summary} for name in FAULT_VERBS},
        "anyOf": [{"required": [name]} for name in FAULT_VERBS],
        "allOf": [{"if": {"required": [name]}, "then": _drawn(name)} for name in FAULT_VERBS],
    }


def _drawn(name: str) -> Mapping[str, Any]:
    made = schema(VERBS[name].keys)
    for word in (*NOT_HERE, *StepKeys.__dataclass_fields__.keys() - {"within"}):
        made["properties"].pop(word, None)
    target = made["properties"][name]
    some = {
        "type": "object",
        "properties": {"any": {"type": "integer", "minimum": 1, "description": "How many clients it hits."}},
        "required": ["any"],
        "additionalProperties": False,
    }
    made["properties"][name] = {
        "description": target["description"],
        "anyOf": [{key: value for key, value in target.items() if key != "description"}, some],
    }
    return made


_PARTS: Mapping[str, Mapping[str, Any]] = {
    "clients": _clients(),
    "rooms": _rooms(),
    "steps": {"type": "array", "items": {"$ref": "#/definitions/step"}},
    "inboxes": _inboxes(),
    "invariants": _invariants(),
    "workload": {"type": "object", "allOf": [{"$ref": "#/definitions/workload"}]},
    "nemesis": {"type": "object", "allOf": [{"$ref": "#/definitions/nemesis"}]},
    "limits": {"type": "object", "allOf": [{"$ref": "#/definitions/limits"}]},
    "server": {"type": "object", "allOf": [{"$ref": "#/definitions/server"}]},
}
