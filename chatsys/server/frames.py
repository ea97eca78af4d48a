"""Answers of Poll and Subscribe, put together from messages that are stored as they are sent.

The bytes are those of the protobuf types; they are joined by hand because a message is encoded once, when it is
stored, and not again for each reader. The tests parse every one of them with the generated code.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chatsys.store import Row
from chatsys.v1 import chat_pb2

_MESSAGES = bytes([4 << 3 | 2])  # RoomDelta.messages
_DELTAS = bytes([1 << 3 | 2])  # PollResponse.deltas and SubscribeResponse.deltas
_RESULTS = bytes([1 << 3 | 2])  # SendMessagesResponse.results


class Delta(NamedTuple):
    """One RoomDelta in two parts, so that the larger is not copied once more."""

    rest: bytes
    """All but the messages."""
    messages: bytes
    """As ``messages`` makes them."""


def messages(rows: Iterable[Row]) -> bytes:
    """RoomDelta.messages of these rows."""
    parts: list[bytes] = []
    for row in rows:
        body = row.body
        parts += (_MESSAGES, _varint(len(body)), body)
    return b"".join(parts)


def delta(
    room_id: str, after: int, through: int, head: int, encoded: bytes, *, ended: bool = False, lost: int = 0
) -> Delta:
    """One RoomDelta with messages that were encoded by ``messages``."""
    rest: bytes = chat_pb2.RoomDelta(
        room_id=room_id,
        after_sequence=after,
        through_sequence=through,
        head_sequence=head,
        lost_through_sequence=lost,
        membership_ended=ended,
    ).SerializeToString()
    return Delta(rest, encoded)


def poll_answer(deltas: Sequence[Delta], position: str, *, caught_up: bool) -> bytes:
    """A PollResponse."""
    return _with_deltas(
        deltas, chat_pb2.PollResponse(position=position, caught_up=caught_up).SerializeToString()
    )


def frame(deltas: Sequence[Delta], position: str, tokens: Sequence[str], *, caught_up: bool) -> bytes:
    """A SubscribeResponse."""
    rest = chat_pb2.SubscribeResponse(position=position, caught_up=caught_up, progress_tokens=tokens)
    return _with_deltas(deltas, rest.SerializeToString())


def batch_answer(results: Iterable[bytes], position: str) -> bytes:
    """A SendMessagesResponse of encoded results."""
    parts: list[bytes] = []
    for each in results:
        parts += (_RESULTS, _varint(len(each)), each)
    parts.append(chat_pb2.SendMessagesResponse(position=position).SerializeToString())
    return b"".join(parts)


def goodbye(position: str, seconds: float) -> bytes:
    """A SubscribeResponse that says when the server leaves. It claims nothing."""
    rest = chat_pb2.SubscribeResponse(position=position)
    rest.drain_in.FromNanoseconds(int(seconds * 1e9))
    encoded: bytes = rest.SerializeToString()
    return encoded


def _with_deltas(deltas: Sequence[Delta], rest: bytes) -> bytes:
    if not deltas:
        return rest
    parts: list[bytes] = []
    for rest_of_it, its_messages in deltas:
        parts += (_DELTAS, _varint(len(rest_of_it) + len(its_messages)), rest_of_it, its_messages)
    parts.append(rest)
    return b"".join(parts)


def _varint(value: int) -> bytes:
    return _SHORT[value] if value < len(_SHORT) else _long_varint(value)


def _long_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SHORT = tuple(map(_long_varint, range(2_048)))
"""Those of the lengths of most messages."""
