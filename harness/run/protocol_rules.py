"""Sentences of docs/driver-protocol.md that a check of a driver quotes: what was broken is to be read there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PAGE: Final = "docs/driver-protocol.md"

SETUP_FIRST: Final = (
    "Anything but `setup` and `bye` before it is `FAILED_PRECONDITION`, and so is a second one."
)
NOT_CONNECTED: Final = (
    "A request that needs a connection, while there is none, is `FAILED_PRECONDITION`, reason `NOT_CONNECTED`"
)
NO_CAPABILITY: Final = (
    "an op whose capability was not named in `hello` is `UNIMPLEMENTED`, reason `NO_CAPABILITY`"
)
BAD_REQUEST: Final = (
    'is answered too, with `"id": null` when it has none or it cannot be read: '
    "`INVALID_ARGUMENT`, `BAD_REQUEST`, definite."
)

_COMES: Final = "What had waited for the client may be delivered before `connect` is answered."
_ONCE: Final = "Each message is delivered once in the life of a driver process"
_OWN: Final = "A client's own messages are not delivered to it"
_NAMED: Final = "comes back as `message` in `deliver`"

#: Kind of violation in a short conversation -> the rule that was probably broken.
LIKELY: Final[Mapping[str, str]] = {
    "missing": _COMES,
    "undelivered": _COMES,
    "lost": _COMES,
    "inbox": _COMES,
    "phantom": _NAMED,
    "echo": _OWN,
    "unwanted": _OWN,
    "redelivered-after-ack": _ONCE,
    "redelivered-without-cause": _ONCE,
}


def quoted(rule: str) -> str:
    """Return a rule as one quotes it."""
    return f"{PAGE}: “{rule}”"
