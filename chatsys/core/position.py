"""Positions: opaque tokens of a moment of the log. They carry the log's epoch, so that a new log is noticed.

Clients pass them back and never compare them. Invariant: ``parse(format(e, n)) == (e, n)``.
"""

import re

from chatsys.errors import Reason, Refusal

MAX_POSITIONS = 1_000
"""How many positions one request may name."""

_FORM = re.compile(r"([0-9a-f]{16})\.([0-9a-z]{1,13})", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def encode(epoch: str, applied: int) -> str:
    """The token for the state of ``epoch`` after ``applied`` entries."""
    digits = []
    rest = applied
    while rest:
        rest, digit = divmod(rest, 36)
        digits.append(_DIGITS[digit])
    return f"{epoch}.{''.join(reversed(digits)) or '0'}"


def decode(token: str, field: str) -> tuple[str, int]:
    """The epoch and number of entries of a token.

    Raises:
        Refusal: FIELD_INVALID, naming ``field``, when no server made this token.
    """
    match = _FORM.fullmatch(token)
    if match is None:
        raise Refusal.field(field, "is not a position that a server gave out")
    return match[1], int(match[2], 36)


def required(tokens: list[str], epoch: str, field: str = "min_positions") -> int:
    """The number of entries that includes all of these positions; 0 for none.

    Raises:
        Refusal: FIELD_INVALID for a malformed token or too many, LOG_EPOCH_CHANGED for one of another epoch.
    """
    if len(tokens) > MAX_POSITIONS:
        raise Refusal.field(field, f"has {len(tokens)} positions; at most {MAX_POSITIONS} are allowed")
    most = 0
    for index, token in enumerate(tokens):
        theirs, applied = decode(token, f"{field}[{index}]")
        if theirs != epoch:
            raise Refusal(
                Reason.LOG_EPOCH_CHANGED,
                f"{field}[{index}] is of epoch {theirs}, and the log is now of epoch {epoch}: it was lost or"
                " restored from an older copy; drop the position and resume from the cursor",
                metadata={"old": theirs, "new": epoch},
            )
        most = max(most, applied)
    return most
