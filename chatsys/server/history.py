"""ListMessages: history a page at a time, forwards or backwards, without touching any cursor.

Invariant: a page has no hole that its reader does not know of: whoever goes on from a place that retention has
passed since is refused, not served what is left.
"""

from collections.abc import Iterator
from typing import Any

from chatsys.core import check
from chatsys.core.visibility import floor
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.polling import MAX_ANSWER_BYTES
from chatsys.server.services import House
from chatsys.store import Reads, Row
from chatsys.v1 import chat_pb2

DEFAULT_MESSAGES = 50
AT_ONCE = 64
"""Messages that are read at once on the way back."""


async def list_messages(house: House, request: chat_pb2.ListMessagesRequest, call: Call) -> Any:
    """One page; see the contract."""
    check.room_id(request.room_id)
    check.sequence(request.after_sequence, "after_sequence")
    check.sequence(request.before_sequence, "before_sequence")
    if request.after_sequence and request.before_sequence:
        raise Refusal.field(
            "before_sequence", "goes backwards, and after_sequence forwards; give one of them"
        )
    size = check.page_size(request.page_size, DEFAULT_MESSAGES, house.limits.max_page_size)
    token = page_number(request.page_token)
    house.needed(request.min_positions)  # whether they are any, also where they are not waited for
    if token is None:
        await house.reach(request.min_positions, call)
    reads = house.store.reads()
    number, room = house.room_of(reads, call, request.room_id)
    lowest = 0
    if not call.caller.admin:
        membership = reads.membership(number, room.room_id, call.user_id)
        assert membership is not None, "room_of() let only members through"
        lowest = floor(room.history, membership.join_sequence)
    if request.before_sequence:
        return _backwards(reads, number, token or request.before_sequence, lowest, size)
    asked = request.after_sequence if token is None else token
    if asked and max(asked, lowest) < room.first - 1:
        raise Refusal(
            Reason.SEQUENCE_EXPIRED,
            f"what follows sequence {asked} of room {room.room_id!r} is no longer stored; the oldest that is has"
            f" sequence {room.first}",
            metadata={"first_sequence": str(room.first)},
            resource=("room", room.room_id),
        )
    return _forwards(reads, number, max(asked, lowest), size)


def _forwards(reads: Reads, number: int, after: int, size: int) -> chat_pb2.ListMessagesResponse:
    answer = chat_pb2.ListMessagesResponse()
    room_left = MAX_ANSWER_BYTES
    while True:
        page = reads.page(number, after, size)
        for row in page.messages:
            room_left -= len(row.body)
            if len(answer.messages) == size or (room_left < 0 and answer.messages):
                answer.next_page_token = str(answer.messages[-1].sequence)
                return answer
            answer.messages.add().ParseFromString(row.body)
        if page.last:
            return answer
        after = page.through


def _backwards(
    reads: Reads, number: int, before: int, lowest: int, size: int
) -> chat_pb2.ListMessagesResponse:
    kept: list[Row] = []  # the newest first
    room_left = MAX_ANSWER_BYTES
    more = False
    for row in _newest_first(reads, number, before, lowest):
        room_left -= len(row.body)
        more = len(kept) == size or (room_left < 0 and bool(kept))
        if more:
            break
        kept.append(row)
    answer = chat_pb2.ListMessagesResponse()
    for row in reversed(kept):
        answer.messages.add().ParseFromString(row.body)
    if more:
        answer.next_page_token = str(kept[-1].sequence)
    return answer


def _newest_first(reads: Reads, number: int, before: int, lowest: int) -> Iterator[Row]:
    """A few are read at a time: a page of the largest messages is thirty times what an answer may hold."""
    while rows := reads.messages_before(number, before, lowest, AT_ONCE):
        yield from reversed(rows)
        before = rows[0].sequence


def page_number(token: str) -> int | None:
    """The place a page token stands for; None for the first page.

    Raises:
        Refusal: FIELD_INVALID when no server made it.
    """
    if not token:
        return None
    if not token.isascii() or not token.isdecimal() or len(token) > 18:
        raise Refusal.field("page_token", "is not a token that a server gave out")
    return int(token)
