"""``Encoder``: messages as they are stored, which is as they are sent: chatsys.v1.Message."""

from chatsys.core.effect import Append
from chatsys.v1 import types_pb2

REUSED = 64
"""Times that one object is filled in. To make one takes longer, but it keeps in memory what it ever held."""


class Encoder:
    """Encodes messages, one after another."""

    def __init__(self) -> None:
        self._left = 0

    def encode(self, append: Append) -> bytes:
        """The bytes of a message that is appended to its room."""
        if not self._left:
            self._message = types_pb2.Message()
            self._time = self._message.create_time
            self._left = REUSED
        self._left -= 1
        message, time = self._message, self._time
        message.room_id = append.room_id
        message.sequence = append.sequence
        message.sender_id = append.actor_id
        message.content = append.content
        message.content_type = append.content_type
        message.client_message_id = append.client_message_id
        time.seconds, rest = divmod(append.time_us, 1_000_000)
        time.nanos = rest * 1_000
        encoded: bytes = message.SerializeToString()
        return encoded
