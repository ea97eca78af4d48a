"""``Filler`` and ``Encoder``: messages as they are stored, which is as they are sent: chatsys.v1.Message.

Both fill in one object again and again: to make one for each message takes longer. What many messages in a row have
in common is written once.
"""

from chatsys.core.effect import Append
from chatsys.v1 import types_pb2

REUSED = 64
"""Times that one object is filled in; then it is left, for it keeps in memory what it ever held."""


class Filler:
    """Fills in one message, again and again; all but its content.

    Args:
        message: Empty, and changed by nobody else.
    """

    __slots__ = ("_common", "_message", "_time", "_time_us")

    def __init__(self, message: types_pb2.Message) -> None:
        self._message = message
        self._time = message.create_time
        self._time_us: int | None = None
        self._common = ("", "", "")

    def fill(
        self,
        room_id: str,
        sequence: int,
        sender_id: str,
        time_us: int,
        content_type: str,
        client_message_id: str,
    ) -> None:
        """Makes it this message."""
        message = self._message
        message.sequence = sequence
        message.client_message_id = client_message_id
        common = (room_id, sender_id, content_type)
        if common != self._common:
            self._common = common
            message.room_id, message.sender_id, message.content_type = common
        if time_us != self._time_us:
            self._time_us = time_us
            self._time.seconds, rest = divmod(time_us, 1_000_000)
            self._time.nanos = rest * 1_000


class Encoder:
    """Encodes messages, one after another."""

    def __init__(self) -> None:
        self._left = 0

    def encode(self, append: Append) -> bytes:
        """The bytes of a message that is appended to its room."""
        if not self._left:
            self._message = types_pb2.Message()
            self._fill = Filler(self._message).fill
            self._left = REUSED
        self._left -= 1
        room_id, sequence, _, sender_id, time_us, content, content_type, client_message_id = append
        self._message.content = content
        self._fill(room_id, sequence, sender_id, time_us, content_type, client_message_id)
        encoded: bytes = self._message.SerializeToString()
        return encoded
