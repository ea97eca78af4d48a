"""How absence was shown: the best grade there is, always named.

`by position` and `by marker` show that what was there would have come; `by window` says that it had not come
for a while; `not connected` says that nothing could come. The server's own claims count as `by position`:
they are claims about its log, and the family `claims` convicts those that are false.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.judge.fences import Fence
from harness.judge.members import Stay
from harness.judge.messages import NEVER, Message
from harness.judge.readers import Client, Reader, Shelf

BY_POSITION, BY_MARKER, BY_WINDOW, NOT_CONNECTED = "by position", "by marker", "by window", "not connected"
GRADES = (BY_POSITION, BY_MARKER, BY_WINDOW, NOT_CONNECTED)


def no_evidence() -> dict[str, int]:
    """Return a count of each grade, all 0."""
    return dict.fromkeys(GRADES, 0)


def claim_over(shelf: Shelf | None, message: Message, stay: Stay | None) -> int | None:
    """Return the index of the first claim, made during this stay, that covers the message."""
    if shelf is None or message.sequence is None:
        return None
    for leg in shelf.legs:
        if leg.stay is stay and (at := leg.claimed(message.sequence, message.first_invoke)) is not None:
            return at
    return None


class Shown(NamedTuple):
    """What shows that somebody was read past a message."""

    at: int
    """Its op index."""
    grade: str
    beside: int = -1
    """Another op that it rests on: the write whose position was fenced, or the arrival of a marker."""
    marker: Message | None = None
    """The sentinel, where it is by marker."""


def read_past(reader: Reader, message: Message, stay: Stay) -> Shown | None:
    """Return what shows that a member was read past a message, if anything does.

    That is a fence, a claim or an acknowledgement at or beyond it, while the member surely was one. What is
    from before the message was sent says nothing of it.
    """
    existed_at = message.exists_at
    since, until = max(stay.possible_from, message.first_invoke), stay.certain_until
    if (fence := reader.by_position(message, existed_at, since, until)) is not None:
        return Shown(fence.index, BY_POSITION, fence.rests_on(message))
    if (fence := reader.by_marker(message, existed_at, since, until)) is not None:
        return Shown(fence.index, BY_MARKER, fence.rests_on(message), (fence.markers or {}).get(message.room))
    shelf = reader.shelves.get(message.room)
    if shelf is None or message.sequence is None:
        return None
    for leg in shelf.legs:
        if leg.stay is stay:
            at = leg.claimed_beyond(message.sequence, since)
            if at is not None:
                return Shown(at, BY_POSITION)
    acked = shelf.acknowledged_at(message.sequence)
    if acked is not None and since < acked < until:
        return Shown(acked, BY_POSITION)
    return None


def silence(client: Client, message: Message, until: int = NEVER) -> tuple[int, str] | None:
    """Return (op index, grade) of the best evidence that a client had not got a message by some moment.

    Works for members and outsiders alike. None when nothing shows it.
    """
    reader, existed_at, since = client.reader, message.exists_at, message.first_invoke
    if (fence := reader.by_position(message, existed_at, since, until)) is not None:
        return fence.index, BY_POSITION
    if (fence := reader.by_marker(message, existed_at, since, until)) is not None:
        return fence.index, BY_MARKER
    shelf = reader.shelves.get(message.room)
    if shelf is not None and message.sequence is not None:
        for leg in shelf.legs:
            at = leg.claimed(message.sequence, since)
            if at is not None and at < until:
                return at, BY_POSITION
    if not client.connected(message.first_invoke, until):
        return message.first_invoke, NOT_CONNECTED
    window = last_window(reader, until)
    if window is not None and window.covers(message, min(existed_at, window.index - 1)):
        return window.index, BY_WINDOW
    return None


def last_window(reader: Reader, until: int) -> Fence | None:
    """Return the last window that ended before this moment."""
    for fence in reversed(reader.fences):
        if fence.index < until and fence.grade == "window":
            return fence
    return None


def final_grade(client: Client, since: int, size: int, *, left_alone: bool = False) -> str | None:
    """Return how a client's record is known to be whole: its last fence's grade, or that it never was online.

    One that is `left_alone`, because the script wants it so, is judged by its record when it was offline at the end.
    """
    if client.unreached:
        return None
    if left_alone and since >= 0 and not client.connected(since, size):
        return NOT_CONNECTED
    fences = client.reader.fences
    if fences and fences[-1].index > since:  # one from before the final phase says nothing of what came after
        return f"by {fences[-1].grade}"
    return None if client.connected(-1, size) else NOT_CONNECTED
