"""An object that is filled in again and again makes the same bytes as a new one."""

from hypothesis import given
from hypothesis import strategies as st

from chatsys.core.effect import Append
from chatsys.core.entry import Send
from chatsys.core.model import Kind
from chatsys.core.outcome import Sent
from chatsys.server.sending import _Results
from chatsys.store.encoder import REUSED, Encoder
from chatsys.v1 import chat_pb2, types_pb2

#: Few of each, so that some are as in the message before.
MESSAGES = st.tuples(
    st.sampled_from("ab"),
    st.integers(1, 2),
    st.sampled_from(["", "alice", "bob"]),
    st.sampled_from([-1, 0, 1, 999_999, 1_000_000, 1_700_000_000_123_456]),
    st.sampled_from([b"", b"hello", bytes(500)]),
    st.sampled_from(["", "text/plain"]),
    st.sampled_from(["", "i", "j"]),
    st.booleans(),
)


def message(room_id, sequence, sender_id, time_us, content, content_type, client_message_id):
    made = types_pb2.Message(
        room_id=room_id,
        sequence=sequence,
        sender_id=sender_id,
        content=content,
        content_type=content_type,
        client_message_id=client_message_id,
    )
    made.create_time.seconds, rest = divmod(time_us, 1_000_000)
    made.create_time.nanos = rest * 1_000
    return made


@given(st.lists(MESSAGES, max_size=2 * REUSED + 1))
def test_nothing_of_one_message_gets_into_the_next(messages):
    encoder, results = Encoder(), _Results()
    for room_id, sequence, sender_id, time_us, content, content_type, client_id, duplicate in messages:
        given_ = (room_id, sequence, sender_id, time_us, content, content_type, client_id)
        append = Append(room_id, sequence, Kind.MESSAGE, sender_id, time_us, content, content_type, client_id)
        assert encoder.encode(append) == message(*given_).SerializeToString()
        answer = chat_pb2.SendMessageResult()
        answer.response.duplicate = duplicate
        answer.response.message.CopyFrom(
            message(room_id, sequence, sender_id, time_us, b"", content_type, client_id)
        )
        send = Send(sender_id, 9, room_id, content, content_type, client_id)
        assert results.encode(send, Sent(sequence, time_us, duplicate)) == answer.SerializeToString()
