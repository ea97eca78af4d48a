"""Two people in a room, and somebody who reads a stream and believes nothing."""

from chatsys.v1 import chat_pb2


class Reader:
    """Reads a stream as a careful client would: every delta must go on where the last one ended."""

    def __init__(self, stream):
        self.stream = stream
        self.texts: list[str] = []
        self.through: dict[str, int] = {}
        self.frames: list[chat_pb2.SubscribeResponse] = []

    async def frame(self):
        frame = await self.stream.read()
        assert isinstance(frame, chat_pb2.SubscribeResponse), "the stream ended"
        self.frames.append(frame)
        for delta in frame.deltas:
            room = delta.room_id
            if room in self.through:
                assert delta.after_sequence == self.through[room], "a hole between two deltas"
            assert delta.through_sequence >= delta.after_sequence
            sequences = [message.sequence for message in delta.messages]
            assert sequences == sorted(set(sequences))
            assert all(delta.after_sequence < each <= delta.through_sequence for each in sequences)
            self.texts += [message.content.decode() for message in delta.messages]
            self.through[room] = delta.through_sequence
            if delta.membership_ended:
                del self.through[room]
        return frame

    async def until(self, token):
        """Reads to the frame that answers a progress request."""
        while token not in (await self.frame()).progress_tokens:
            pass
        return self.frames[-1]

    async def until_texts(self, count):
        while len(self.texts) < count:
            await self.frame()
        return self.texts


async def two(as_user, room, **fields):
    """Alice and Bob of this test in a room of their own, and the administrator who made it."""
    alice, bob, root = as_user(f"alice-{room}"), as_user(f"bob-{room}"), as_user("root")
    await root.create(room, alice.user, bob.user, **fields)
    return alice, bob, root


async def pair(as_user, room, **fields):
    """Alice and Bob in a room, and Bob's stream after its first frame."""
    alice, bob, root = await two(as_user, room, **fields)
    reader = Reader(bob.subscribe())
    await reader.frame()
    return alice, bob, root, reader
