"""One request line, read with care: every fault of it is a sentence that the other side gets as the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

#: The statuses by which a server says that it decided against an operation: it surely did not happen.
DEFINITE: Final = frozenset(
    {
        "ABORTED",
        "ALREADY_EXISTS",
        "FAILED_PRECONDITION",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    }
)
#: Seconds a request may take when it does not say.
DEFAULT_WITHIN: Final = 10.0


class RequestError(Exception):
    """A request that did not end well, as its answer says it.

    Attributes:
        code: name of a gRPC status.
        reason: one word for programs.
        message: a sentence for people.
        definite: whether the operation surely did not happen; what the code says, unless given.
    """

    def __init__(self, code: str, reason: str, message: str, *, definite: bool | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.definite = code in DEFINITE if definite is None else definite

    def to_json(self) -> dict[str, Any]:
        """Return the value of `error` in the answer."""
        return {
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "definite": self.definite,
        }


class BadRequestError(RequestError):
    """The request itself is wrong.

    Attributes:
        id: of the request, when it can be read at all.
    """

    def __init__(self, message: str, id: int | None = None) -> None:  # noqa: A002 - the word of the protocol
        super().__init__("INVALID_ARGUMENT", "BAD_REQUEST", message)
        self.id = id


class Request:
    """A request and its fields. Each reader raises `BadRequestError` when the field is missing or of another type."""

    def __init__(self, id: int, op: str, fields: Mapping[str, Any]) -> None:  # noqa: A002 - as above
        self.id = id
        self.op = op
        self.fields = fields

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """Read one line.

        Raises:
            BadRequestError: it is no request.
        """
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            raise BadRequestError(f"the line is not JSON: {_shown(line)}") from None
        if not isinstance(data, dict):
            raise BadRequestError(f"a request is a JSON object, not {_shown(line)}")
        number, op = data.get("id"), data.get("op")
        if not isinstance(number, int) or isinstance(number, bool):
            raise BadRequestError(f"a request needs a whole number as `id`: {_shown(line)}")
        if not isinstance(op, str):
            raise BadRequestError(f"a request needs an `op`: {_shown(line)}", number)
        return cls(number, op, data)

    @property
    def within(self) -> float:
        """How long it may take, seconds."""
        milliseconds = self.fields.get("within_ms")
        if milliseconds is None:
            return DEFAULT_WITHIN
        if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool) or milliseconds <= 0:
            raise self._wrong("within_ms", "a number above 0", milliseconds)
        return milliseconds / 1000

    def address(self) -> str:
        """Return where to `connect`, as gRPC and most others write it: HOST:PORT."""
        server = self.mapping("server")
        host, port = server.get("host"), server.get("port")
        if not isinstance(host, str) or not isinstance(port, int):
            raise BadRequestError(f"{self.op}: `server` needs `host` and `port`", self.id)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field that is a string."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, "a string", value)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """Return a field that is a whole number, not negative."""
        value = self.fields.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a whole number, 0 or more", value)
        return value

    def flag(self, name: str) -> bool:
        """Return a field that is true or false; false when it is missing."""
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return a field that is one of some words, the first when it is missing."""
        value = self.fields.get(name, choices[0])
        if value not in choices:
            raise self._wrong(name, f"one of {', '.join(choices)}", value)
        return str(value)

    def texts(self, name: str) -> list[str]:
        """Return a field that is a list of strings; empty when it is missing."""
        value = self.fields.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of strings", value)
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a field that is an object."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return value

    def sequences(self, name: str) -> dict[str, int]:
        """Return a field that is an object of room ids and sequences."""
        value = self.mapping(name)
        for sequence in value.values():
            if not isinstance(sequence, int) or isinstance(sequence, bool):
                raise self._wrong(name, "an object {room: sequence}", value)
        return dict(value)

    def _wrong(self, name: str, wanted: str, value: Any) -> BadRequestError:
        found = "it is missing" if value is None else f"not {_shown(json.dumps(value).encode())}"
        return BadRequestError(f"{self.op}: `{name}` must be {wanted}; {found}", self.id)


def _shown(line: bytes) -> str:
    text = line[:80].decode(errors="replace")
    return f"{text}{'…' if len(line) > 80 else ''}"
