"""Tables of keys: a dataclass whose fields are the keys of one map in a scenario.

Every key has a kind and a description; the reader, the diagnostics and the JSON Schema are made from the same
table. A key whose name is a Python keyword has a trailing underscore in the class.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from harness.verbs.kinds import COUNT, DEADLINE, DURATION, NAMES, STATUS, BadValueError, Kind
from harness.verbs.problem import Problem, escape, suggest_key

K = TypeVar("K", bound="Keys")
Report = Callable[[Problem], None]


def key(kind: Kind[Any], description: str, **default: Any) -> Any:
    """Declare one key; without `default` it is obligatory."""
    return dataclasses.field(metadata={"kind": kind, "description": description}, **default)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Keys:
    """The base of every table."""

    given: frozenset[str] = frozenset()
    """The keys that the author wrote."""
    broken: frozenset[str] = frozenset()
    """Keys that are missing, or whose values could not be read."""


#: Read by `harness.verbs.when`, which has a table of its own.
_WHEN: Kind[Any] = Kind(
    lambda value: value,
    {
        "type": "object",
        "properties": {
            **{
                sight: {
                    "type": "string",
                    "description": f"A message, or a series of them, that has been {sight}.",
                }
                for sight in ("sent", "answered", "received")
            },
            "by": {**NAMES.schema, "description": "By each of whom it has been received; else by anybody."},
            "count": {**COUNT.schema, "description": "How many of the series; else all."},
            "within": {**DEADLINE.schema, "description": "How long to wait for it; 10s unless given."},
        },
        "additionalProperties": False,
    },
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepKeys(Keys):
    """Modifiers that any step may have."""

    after: int = key(DURATION, "Pause before this step, after the step before is done: `5s`.", default=0)
    at: int | None = key(
        DURATION, "Not before this moment on the clock of the scenario: `700ms`.", default=None
    )
    when: Any = key(  # noqa: RUF009 - it is `dataclasses.field`
        _WHEN,
        "Not before something was seen: `{answered: line, count: 10}`, also `sent` or `received` (with `by`). It"
        " waits `within: 10s` at most; `after` counts from then.",
        default=None,
    )
    within: int | None = key(
        DEADLINE,
        "Deadline of the step, or of each message of a series: `2s`. 2s unless given, 10s for connect.",
        default=None,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RefusableKeys(StepKeys):
    """Modifiers of steps that ask something of the server."""

    refused: str | None = key(
        STATUS, "The step must fail with this gRPC status: `PERMISSION_DENIED`.", default=None
    )


def table(cls: type[Keys]) -> dict[str, dataclasses.Field[Any]]:
    """Return the keys of a class as the author writes them, its own before those of its bases."""
    fields = [field for field in dataclasses.fields(cls) if "kind" in field.metadata]
    own = inspect.get_annotations(cls)
    fields.sort(key=lambda field: field.name not in own)
    return {field.name.rstrip("_"): field for field in fields}


def read_keys(
    cls: type[K],
    data: Mapping[str, object],
    pointer: str,
    report: Report,
    *,
    what: str,
    later: Mapping[str, str] | None = None,
) -> K:
    """Read one map by its table, reporting every fault.

    Args:
        cls: The table.
        data: The map as it stands in the file.
        pointer: Where it stands.
        report: Takes each problem.
        what: Who takes these keys, for sentences: "`send`", "a client".
        later: Keys of the format that this version does not play yet, and what they are.

    Returns:
        The values. What could not be read has its default, or the blank value of its kind, and its key is
        in `broken`: so the rest can be checked all the same.
    """
    known = table(cls)
    unknown = [name for name in data if name not in known]
    missing = [
        name
        for name, field in known.items()
        if field.default is dataclasses.MISSING
        and name not in data
        # `form: alice` is one fault, not an unknown key and a missing one.
        and not any(suggest_key(wrong, known) == name for wrong in unknown)
    ]
    for name in unknown:
        report(_unknown(name, known, f"{pointer}/{escape(name)}", what, later or {}))
    for name in missing:
        report(
            Problem(
                code="missing-key",
                pointer=pointer,
                message=f"{what} needs `{name}`",
                help=(f"{name}: {known[name].metadata['description']}",),
                on_key=True,
            )
        )
    values: dict[str, object] = {}
    broken = set()
    for name, field in known.items():
        kind: Kind[Any] = field.metadata["kind"]
        required = field.default is dataclasses.MISSING
        if name in data:
            try:
                values[field.name] = kind.parse(data[name])
                continue
            except BadValueError as fault:
                report(bad_value(fault, f"{pointer}/{escape(name)}"))
        elif not required:
            continue
        broken.add(name)
        if required:
            values[field.name] = kind.blank
    given = frozenset(name for name in data if name in known)
    return cls(given=given, broken=frozenset(broken), **values)


def bad_value(fault: BadValueError, pointer: str) -> Problem:
    """Return the problem for a value that could not be read."""
    return Problem(
        code=fault.code,
        pointer=pointer + fault.at,
        message=fault.message,
        label=fault.label,
        help=fault.hints,
    )


def schema(cls: type[Keys], **extra: Any) -> dict[str, Any]:
    """Return the JSON Schema of the map that `cls` reads."""
    known = table(cls)
    required = [name for name, field in known.items() if field.default is dataclasses.MISSING]
    properties = {name: _property(field) for name, field in known.items()}
    result: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        result["required"] = required
    return {**result, **extra}


def _property(field: dataclasses.Field[Any]) -> dict[str, Any]:
    made = {**field.metadata["kind"].schema, "description": field.metadata["description"]}
    # What stands for "not given" elsewhere (nothing, an empty tuple, 0 ns) is no value that one could write.
    if field.default is not None and isinstance(field.default, str | bool) and field.default != "":
        made["default"] = field.default
    return made


def _unknown(
    name: str, known: Mapping[str, object], pointer: str, what: str, later: Mapping[str, str]
) -> Problem:
    if name in later:
        return not_yet(f"`{name}`", later[name], pointer)
    meant = suggest_key(name, [*known, *later])
    return Problem(
        code="unknown-key",
        pointer=pointer,
        message=f"{what} takes no `{name[:70]}`",
        label=f"did you mean `{meant}`?" if meant else "",
        help=(f"{what} takes: {', '.join(known)}",),
        on_key=True,
    )


def not_yet(what: str, meaning: str, pointer: str, *, on_key: bool = True) -> Problem:
    """Return the problem for something of the format that this version does not play."""
    return Problem(
        code="not-yet",
        pointer=pointer,
        message=f"{what} is not supported yet",
        label="this version cannot play it",
        help=(f"it is part of the format: {meaning}",),
        on_key=on_key,
    )
