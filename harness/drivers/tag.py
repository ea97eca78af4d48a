"""For servers without message ids: the id of a message stands in front of its text, and is taken off again."""

from __future__ import annotations

from typing import Final

_MARK: Final = "¶"


def tag(message: str, text: str) -> str:
    """Return what to send. An id has no blank in it."""
    return f"{_MARK}{message} {text}"


def untag(text: str) -> tuple[str, str]:
    """Return (message id, text) of what was sent; the id is empty when nobody had put one in front."""
    if not text.startswith(_MARK):
        return "", text
    message, _, rest = text[len(_MARK) :].partition(" ")
    return message, rest
