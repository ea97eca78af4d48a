"""What somebody must have received, as `inboxes` and `gets` write it: ids, series, and series merged in any way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model.actions import InboxItem
from harness.verbs.keys import bad_value
from harness.verbs.kinds import BadValueError, read_text
from harness.verbs.problem import Place, Problem
from harness.verbs.references import resolve
from harness.verbs.scope import Scope

INTERLEAVED = "interleaved"

#: JSON Schema of one entry, and of a list of them or one alone.
ITEM_SCHEMA: Mapping[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                INTERLEAVED: {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 2,
                    "description": "Series, each in its own order, merged in any way.",
                }
            },
            "required": [INTERLEAVED],
            "additionalProperties": False,
        },
    ]
}
ITEMS_SCHEMA: Mapping[str, Any] = {"anyOf": [*ITEM_SCHEMA["anyOf"], {"type": "array", "items": ITEM_SCHEMA}]}


def read_inbox_items(value: object, pointer: str, scope: Scope, client: str | None) -> list[InboxItem]:
    """Read a list of entries, or one alone; faults are reported and left out.

    Args:
        value: as it stands in the file.
        pointer: where it stands.
        scope: what is known at this step.
        client: whose inbox it is: of a series by several senders, his own part is left out. None for anybody's.
    """
    if isinstance(value, list):
        places = [(item, f"{pointer}/{index}") for index, item in enumerate(value)]
    elif value is None:
        scope.report(
            Problem(
                code="wrong-type",
                pointer=pointer,
                message="a list of messages is wanted here, not nothing",
                label="write `[]` when it must stay empty",
            )
        )
        return []
    else:
        places = [(value, pointer)]
    found: list[InboxItem] = []
    seen: dict[str, str] = {}
    for item, where in places:
        made = _item(client, item, where, scope)
        if made is None:
            continue
        twice = next((id_ for series in made.series for id_ in series if id_ in seen), None)
        if twice is not None:
            scope.report(
                Problem(
                    code="listed-twice",
                    pointer=where,
                    message=f"`{twice}` stands here twice, and each message is received once",
                    label="remove one",
                    related=(Place(seen[twice], "first here"),),
                )
            )
            continue
        seen.update((id_, where) for series in made.series for id_ in series)
        found.append(made)
    return found


def _item(client: str | None, item: object, pointer: str, scope: Scope) -> InboxItem | None:
    if isinstance(item, dict):
        return _interleaved(client, item, pointer, scope)
    try:
        written = read_text(item, "the id of a message")
    except BadValueError as fault:
        scope.report(bad_value(fault, pointer))
        return None
    series = resolve(scope, written, pointer)
    if series is None:
        return None
    return InboxItem(pointer=pointer, written=written, series=_without_own(client, series, scope))


def _interleaved(client: str | None, item: Mapping[str, Any], pointer: str, scope: Scope) -> InboxItem | None:
    value = item.get(INTERLEAVED)
    if list(item) != [INTERLEAVED] or not isinstance(value, list) or len(value) < 2:
        scope.report(
            Problem(
                code="bad-value",
                pointer=pointer,
                message="an entry is the id of a message, or series merged in any way",
                label="write `{interleaved: [a.*, b.*]}`",
            )
        )
        return None
    found: list[tuple[str, ...]] = []
    words = []
    for index, part in enumerate(value):
        where = f"{pointer}/{INTERLEAVED}/{index}"
        try:
            written = read_text(part, "the id of a message")
        except BadValueError as fault:
            scope.report(bad_value(fault, where))
            return None
        series = resolve(scope, written, where)
        if series is None:
            return None
        words.append(written)
        found += _without_own(client, series, scope)
    ids = [id_ for series in found for id_ in series]
    rooms = {scope.messages[id_].room for id_ in ids}
    if len(rooms) > 1 or len(set(ids)) < len(ids):
        scope.report(
            Problem(
                code="contradiction",
                pointer=pointer,
                message="these are sent in different rooms, so there is nothing to merge"
                if len(rooms) > 1
                else "the same message stands here twice",
                label="list them one by one",
            )
        )
        return None
    return InboxItem(pointer=pointer, written=f"{INTERLEAVED} {', '.join(words)}", series=tuple(found))


def _without_own(
    client: str | None, series: tuple[tuple[str, ...], ...], scope: Scope
) -> tuple[tuple[str, ...], ...]:
    """A series by several senders: everybody hears the others'."""
    if len(series) < 2 or client is None:
        return series
    others = tuple(ids for ids in series if not scope.is_own(client, scope.messages[ids[0]]))
    return others or series
