"""Ids that this side makes: message ids, request ids, tokens of fences.

UUIDv7: the first 48 bits are the time, so the server's index of them grows at its end. Random bits come from
the operating system at each call, so a forked process never repeats its parent's.
"""

from __future__ import annotations

import os
import time
import uuid


def uuid7() -> str:
    """Return a new UUIDv7 (RFC 9562), 36 characters."""
    return str(make_uuid7(time.time_ns() // 1_000_000, os.urandom(10)))


def make_uuid7(unix_ms: int, random: bytes) -> uuid.UUID:
    """Lay out a UUIDv7 from its time in ms and 10 random bytes."""
    value = (unix_ms & (2**48 - 1)) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
