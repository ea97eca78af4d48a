"""Histories that chatsim did not record: is every line one, and who takes part?

Pure. `docs/history.md` is the page for those who write one. What is checked here is form: a file with faults is
refused whole, with every fault. What a history says is checked by the judge, which names the assumption that does not
hold.

Invariants: a fault names its line, counted from 1; the tables below are what the page lists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.model.cast import Client
from harness.model.history import FENCE, HARNESS, HISTORY_VERSION, NEMESIS, SCRIPT, SERVER
from harness.model.plan import Plan

MOST_FAULTS = 50
"""So many faults are kept; of more, the number."""
NOT_CLIENTS = frozenset({SERVER, HARNESS, FENCE, SCRIPT, NEMESIS})
TYPES = ("invoke", "ok", "fail", "info")

KEYS: Mapping[str, str] = {
    "index": "integer",
    "time": "integer",
    "process": "text",
    "type": "text",
    "f": "text",
    "value": "map",
    "op": "integer",
    "step": "text",
    "t": "integer",
    "error": "map",
}
"""What a line may have, and of which form."""
REQUIRED = ("index", "time", "process", "type", "f")

FIELDS: Mapping[str, str] = {
    "room": "text",
    "client_message_id": "text",
    "id": "text or null",
    "sender": "text",
    "text": "text",
    "sequence": "integer",
    "position": "text",
    "positions": "texts",
    "duplicate": "true or false",
    "own": "true or false",
    "via": "integer",
    "after": "integer",
    "through": "integer",
    "lost": "integer",
    "acks": "sequences",
    "cursors": "sequences",
    "caught_up": "true or false",
    "grade": "text",
    "markers": "texts by room",
    "window_ns": "integer",
    "user": "text",
    "members": "texts",
    "admins": "texts",
    "readers": "texts",
    "history": "text",
    "entry": "text",
    "capabilities": "texts",
    "epoch": "text",
    "instance": "text",
    "state": "text",
    "targets": "texts",
    "asked": "true or false",
}
"""What `value` may have whose form matters to the judge; other fields are free."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "send": ("room", "client_message_id", "sender"),
    "deliver": ("room", "client_message_id"),
    "read": ("room", "client_message_id"),
    "claim": ("room", "after", "through"),
    "ack": ("acks",),
    "fence": ("grade",),
    "history": ("room",),
    "create": ("room", "members"),
    "join": ("room",),
    "leave": ("room",),
    "add": ("room", "user"),
    "kick": ("room", "user"),
}
"""Fields that an operation cannot do without: in the line that nobody invoked, else in the invocation."""
CLIENT_KEYS: Mapping[str, str] = {"user": "text", "consumer": "text", "include_own": "true or false"}


class Fault(NamedTuple):
    """One thing wrong with a file."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


@dataclass(slots=True)
class Survey:
    """What was found in a file."""

    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    """All faults, also those that were not kept."""
    operations: int = 0
    clients: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Everybody who does something and is a client, with what the first line says of them."""

    def note(self, line: int, sentence: str) -> None:
        """Note one fault."""
        self.count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line, sentence))

    def plan(self, title: str, file: str) -> Plan:
        """Return a plan that asks for nothing: its cast is who takes part, and its rooms are made in the history."""
        return Plan(
            title=title,
            name=title,
            file=file,
            source="",
            clients=tuple(
                Client(
                    name=name,
                    user=said.get("user", name),
                    display_name=name,
                    consumer=said.get("consumer", ""),
                    include_own=said.get("include_own", False),
                )
                for name, said in self.clients.items()
            ),
            rooms=(),
            steps=(),
        )


def survey(lines: Iterable[str]) -> Survey:
    """Look at every line of a file.

    Args:
        lines: with their newlines.
    """
    found = Survey()
    number = 0
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            found.note(number, "the file ends within this line: it was cut off, or lacks its last newline")
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as fault:
            found.note(number, f"not JSON: {fault}")
            continue
        if not isinstance(data, dict):
            found.note(number, f"a line is a JSON object, not {_form(data)}")
        elif number == 1:
            _header(found, data)
        else:
            found.operations += 1
            _operation(found, number, data)
    if number == 0:
        found.note(1, 'the file is empty; it begins with {"format": "chatsim.history", "version": 1}')
    return found


def _header(found: Survey, data: Mapping[str, Any]) -> None:
    if data.get("format") != "chatsim.history":
        found.note(1, 'a history begins with {"format": "chatsim.history", "version": 1}')
        return
    if data.get("version") != HISTORY_VERSION or isinstance(data.get("version"), bool):
        found.note(
            1, f"this is history format {data.get('version')!r}; this chatsim reads format {HISTORY_VERSION}"
        )
    clients = data.get("clients", {})
    if not isinstance(clients, dict):
        found.note(1, f"`clients` is a map of names, not {_form(clients)}")
        return
    for name, said in clients.items():
        if not isinstance(said, dict):
            found.note(1, f"client {name!r} is a map, not {_form(said)}")
            continue
        for key, value in said.items():
            form = CLIENT_KEYS.get(key)
            if form is None:
                found.note(1, f"client {name!r} has the unknown key {key!r}; known: {', '.join(CLIENT_KEYS)}")
            elif not FORMS[form](value):
                found.note(1, f"`{key}` of client {name!r} is {form}, not {_form(value)}")
        found.clients[name] = said


def _operation(found: Survey, number: int, data: Mapping[str, Any]) -> None:
    good = True
    for key in REQUIRED:
        if key not in data:
            good = False
            found.note(number, f"`{key}` is missing")
    for key, value in data.items():
        form = KEYS.get(key)
        if form is None:
            found.note(number, f"unknown key {key!r}; a line has {', '.join(KEYS)}")
        elif not FORMS[form](value) and not (value is None and key not in REQUIRED):
            good = False
            found.note(number, f"`{key}` is {form}, not {_form(value)}")
    if not good:
        return
    if data["type"] not in TYPES:
        found.note(number, f"`type` is one of {', '.join(TYPES)}, not {data['type']!r}")
    value = data.get("value") or {}
    for name, item in value.items():
        if not FORMS[FIELDS.get(name, "anything")](item):
            found.note(number, f"`{name}` in `value` is {FIELDS[name]}, not {_form(item)}")
    if data["type"] == "invoke" or data.get("op") is None or data["f"] == "read":
        for name in NEEDS.get(data["f"], ()):
            if name not in value:
                found.note(number, f"`{data['f']}` needs `{name}` in its `value`")
    name = data["process"].partition("#")[0]
    if name not in NOT_CLIENTS and name not in found.clients:
        found.clients[name] = {}


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _integer(value: object) -> bool:
    return type(value) is int


FORMS: Mapping[str, Callable[[Any], bool]] = {
    "anything": lambda _: True,
    "integer": _integer,
    "text": lambda value: isinstance(value, str),
    "text or null": lambda value: value is None or isinstance(value, str),
    "texts": _texts,
    "true or false": lambda value: isinstance(value, bool),
    "map": lambda value: isinstance(value, dict),
    "sequences": lambda value: isinstance(value, dict) and all(map(_integer, value.values())),
    "texts by room": lambda value: isinstance(value, dict) and _texts(list(value.values())),
}


def _form(value: object) -> str:
    """Say what a JSON value is, short enough for a sentence."""
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
