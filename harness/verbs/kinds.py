"""What the value of a key may be: how it is read, what is said when it is wrong, and its JSON Schema.

A `Kind` is read from plain YAML data (str, int, float, bool, None, list, dict) and never guesses: whatever it does
not know is a `BadValueError` whose text says what is wanted, and whose label says what to do.
These are plain functions and no validation library: importing one would take up to half of the time that a whole
`chatsim run` may take, and its messages would have to be replaced one by one (docs/adr/0009).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from harness.verbs.problem import did_you_mean, suggest

T = TypeVar("T")

NS_PER_S = 1_000_000_000
MAX_DURATION_NS = 24 * 3600 * NS_PER_S
MAX_COUNT = 100_000

_UNIT_NS = {
    "us": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
}
_UNIT_WORDS = {
    "µs": "us", "usec": "us", "msec": "ms", "msecs": "ms", "millis": "ms", "milliseconds": "ms", "sec": "s",
    "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "hr": "h",
    "hour": "h", "hours": "h",
}  # fmt: skip
_DURATION = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,9}))?(us|ms|s|m|h)\Z")
_LOOSE_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([^\d\s.]\S*)?\Z")
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)/(s|m)\Z")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z")
_ROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")

#: The names of the gRPC status codes that a refusal may have.
STATUSES = (
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


class BadValueError(Exception):
    """A value that a key cannot have: the sentence, and where inside the value it stands."""

    def __init__(
        self,
        message: str,
        label: str = "",
        hints: tuple[str, ...] = (),
        *,
        code: str = "bad-value",
        at: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.label = label
        self.hints = hints
        self.code = code
        self.at = at
        """Pointer relative to the value: empty, or `/2` for an item of a list."""


class Filled(str):
    """Text that a variable filled in whole; it may stand for a number or a truth value."""

    __slots__ = ()

    def plain(self) -> object:
        """Return the number or truth value that it stands for, or itself."""
        if self in ("true", "false"):
            return self == "true"
        if re.fullmatch(r"[-+]?[0-9]{1,18}", self):
            return int(self)
        return self


class Item(NamedTuple):
    """One entry of a name-or-list: its text, and where it stands relative to the key's value."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of value."""

    parse: Callable[[Any], T]
    """Plain YAML data in, the value out; raises BadValueError."""
    schema: Mapping[str, Any]
    """JSON Schema, in words of draft-07."""
    blank: Any = None
    """Stands for an obligatory value that is missing or wrong, so that the rest can be checked."""


def describe(value: object) -> str:
    """Say what a YAML value is, in plain words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the value {str(value).lower()}"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a map"


def wrong_type(wanted: str, value: object, label: str = "", *hints: str, at: str = "") -> BadValueError:
    """Return the error for a value of another type than wanted."""
    return BadValueError(
        f"{wanted} is wanted here, not {describe(value)}", label, hints, code="wrong-type", at=at
    )


def read_text(value: object, wanted: str = "text", at: str = "") -> str:
    """Read text; numbers and truth values must be quoted, since `010` and `10` would be one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        raise wrong_type(wanted, value, "put it in quotes", at=at)
    if isinstance(value, dict):
        raise wrong_type(wanted, value, "", "text with `: `, `{` or `[` in it must stand in quotes", at=at)
    raise wrong_type(wanted, value, at=at)


def read_duration(value: object) -> int:
    """Read a duration such as `2s`; returns ns."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise BadValueError(f"a duration needs a unit: {value}s or {value}ms?", code="bad-duration")
    if not isinstance(value, str):
        raise wrong_type("a duration such as `2s`", value)
    if (match := _DURATION.match(value)) is not None:
        whole, fraction, unit = match.groups()
        ns = int(whole) * _UNIT_NS[unit] + int((fraction or "0").ljust(9, "0")) * _UNIT_NS[unit] // 10**9
        if ns > MAX_DURATION_NS:
            raise BadValueError(f"{value} is longer than a day", "24h at most", code="bad-duration")
        return ns
    units = ("units: us, ms, s, m (minutes), h",)
    loose = _LOOSE_DURATION.match(value)
    if loose is None:
        raise BadValueError(
            f"`{value}` is not a duration",
            "write a number and its unit: `2s`, `500ms`",
            units,
            code="bad-duration",
        )
    number, unit = loose.groups()
    if not unit:
        raise BadValueError(f"a duration needs a unit: {number}s or {number}ms?", code="bad-duration")
    known = _UNIT_WORDS.get(unit.lower()) or suggest(unit, _UNIT_NS)
    label = (
        f"did you mean `{number}{known}`?" if known and unit.isalpha() else "write one number and its unit"
    )
    raise BadValueError(f"`{value}` is not a duration", label, units, code="bad-duration")


def _read_rate(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise BadValueError(f"a pace needs a unit: {value}/s?", code="bad-duration")
    if not isinstance(value, str):
        raise wrong_type("a pace such as `20/s`", value)
    match = _RATE.match(value)
    if match is None:
        raise BadValueError(f"`{value[:70]}` is not a pace", "write `20/s`, or `30/m`", code="bad-duration")
    rate = float(match[1]) / {"s": 1, "m": 60}[match[2]]
    if not 0.01 <= rate <= 10_000:
        raise BadValueError(f"`{value}` is out of range", "1/m to 10000/s")
    return rate


def _read_deadline(value: object) -> int:
    ns = read_duration(value)
    if ns == 0:
        raise BadValueError("a deadline must be longer than nothing", code="bad-duration")
    return ns


def read_integer(value: object, low: int, high: int) -> int:
    """Read a whole number within bounds."""
    if isinstance(value, Filled):
        value = value.plain()
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type("a whole number", value)
    if not low <= value <= high:
        raise BadValueError(f"{_short(value)} is out of range", f"{low:,} to {high:,}")
    return value


def _short(value: int) -> str:
    return str(value) if abs(value) < 10**20 else "this number"


def read_name(value: object, what: str, at: str = "") -> str:
    """Read the name of a client, a user or a message that is being given."""
    text = read_text(value, f"the name of {what}", at)
    if _NAME.match(text) is None:
        raise BadValueError(
            f"`{text[:70]}` cannot be the name of {what}" if text else f"{what} cannot have an empty name",
            "letters, digits, `_` and `-`, 64 at most",
            code="bad-name",
            at=at,
        )
    return text


def read_room_name(value: object, at: str = "") -> str:
    """Read the name of a room that is being given."""
    text = read_text(value, "the name of a room", at)
    if _ROOM.match(text) is None:
        lower = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        label = f"did you mean `{lower}`?" if _ROOM.match(lower) else ""
        raise BadValueError(
            f"`{text[:70]}` cannot be the name of a room",
            label or "lower-case letters, digits and `-`, 40 at most",
            ("the names of rooms have lower-case letters, digits and `-`, 40 at most",) if label else (),
            code="bad-name",
            at=at,
        )
    return text


def read_items(value: object, wanted: str) -> tuple[Item, ...]:
    """Read one text or a list of texts, each with its place."""
    if isinstance(value, list):
        return tuple(
            Item(read_text(item, wanted, f"/{index}"), f"/{index}") for index, item in enumerate(value)
        )
    return (Item(read_text(value, wanted), ""),)


def one_of(*words: str) -> Kind[Any]:
    """Return the kind of a closed set of words."""

    def parse(value: object) -> str:
        text = read_text(value, f"one of {', '.join(words)}")
        if text not in words:
            raise BadValueError(
                f"`{text[:70]}` is not one of {', '.join(f'`{word}`' for word in words)}",
                did_you_mean(text, words),
            )
        return text

    return Kind(parse, {"enum": list(words)})


def _read_status(value: object) -> str:
    text = read_text(value, "the name of a gRPC status")
    if text not in STATUSES:
        if text == "OK":
            raise BadValueError("`OK` is not a refusal", "leave `refused` out", code="unknown-status")
        raise BadValueError(
            f"no gRPC status is called `{text[:70]}`",
            did_you_mean(text.replace(" ", "_"), STATUSES),
            (f"statuses: {', '.join(STATUSES)}",),
            code="unknown-status",
        )
    return text


def _read_flag(value: object) -> bool:
    if isinstance(value, Filled):
        value = value.plain()
    if not isinstance(value, bool):
        words = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
        word = words.get(value.lower()) if isinstance(value, str) else None
        raise wrong_type("`true` or `false`", value, f"write `{word}`" if word else "")
    return value


def _read_texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise wrong_type("a list of words", value, "write it in brackets: `[a, b]`")
    return tuple(item.text for item in read_items(value, "a word"))


_TEXT_SCHEMA: Mapping[str, Any] = {"type": "string"}
_DURATION_SCHEMA: Mapping[str, Any] = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(us|ms|s|m|h)$"}


def one_or_list(pattern: str | None = None) -> Mapping[str, Any]:
    """Return the schema of one text or a list of texts."""
    one: dict[str, Any] = {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}
    return {"anyOf": [one, {"type": "array", "items": one}]}


def integer(low: int, high: int) -> Kind[int]:
    """Return the kind of a whole number within bounds."""
    return Kind(
        lambda value: read_integer(value, low, high), {"type": "integer", "minimum": low, "maximum": high}
    )


TEXT: Kind[str] = Kind(read_text, _TEXT_SCHEMA, "")
TEXTS: Kind[tuple[str, ...]] = Kind(_read_texts, {"type": "array", "items": _TEXT_SCHEMA})
FLAG: Kind[bool] = Kind(_read_flag, {"type": "boolean"})
DURATION: Kind[int] = Kind(read_duration, _DURATION_SCHEMA, 0)
DEADLINE: Kind[int] = Kind(_read_deadline, _DURATION_SCHEMA)
RATE: Kind[float] = Kind(_read_rate, {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?/(s|m)$"})
COUNT = integer(1, MAX_COUNT)
STATUS: Kind[str] = Kind(_read_status, {"enum": list(STATUSES)})
NAMES: Kind[Sequence[Item]] = Kind(
    lambda value: read_items(value, "a name or a list of names"), one_or_list(), ()
)
NAME: Kind[str] = Kind(lambda value: read_text(value, "a name"), _TEXT_SCHEMA, "")
ROOM: Kind[str] = Kind(lambda value: read_text(value, "the name of a room"), _TEXT_SCHEMA)
MESSAGES: Kind[Sequence[Item]] = Kind(
    lambda value: read_items(value, "the id of a message"), one_or_list(), ()
)
MESSAGE_ID: Kind[str] = Kind(
    lambda value: read_name(value, "a message"),
    {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"},
)
NEW_ROOM: Kind[str] = Kind(read_room_name, {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,39}$"}, "")
