"""What `chatsys chat` asks of a server, with a client that answers as it is told."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatsys.chat.commands import typed
from chatsys.chat.model import Model
from chatsys.chat.session import Session
from chatsys.client import ChatError, Restored
from chatsys.v1 import types_pb2


class Client:
    """Streams messages, and counts who is asked for. It may hold back its answers."""

    def __init__(self, messages, *, holds_back=False, refuses=None):
        self.messages = messages
        self.holds_back = holds_back
        self.refuses = refuses
        self.direct = False
        self.members = [types_pb2.Member(user_id="bob", display_name="Bob")]
        self.asked: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.answers = asyncio.Event()

    async def list_cursors(self):
        return []

    async def list_rooms(self):
        return [types_pb2.Room(room_id="r", direct=self.direct)]

    async def list_members(self, room_id):
        self.asked.append(room_id)
        if self.holds_back:
            await self.answers.wait()
        return self.members

    async def list_messages(self, room_id, **_):
        return [], ""

    async def progress(self, **_):
        return SimpleNamespace()

    async def create_room(self, room_id, **_):
        await self.answers.wait()
        if self.refuses is not None:
            raise self.refuses

    async def send(self, room_id, text, **_):
        self.sent.append((room_id, text))
        return SimpleNamespace(sequence=len(self.sent))

    def ack(self, room_id, sequence):
        """Nobody looks at it here."""

    async def flush_acks(self, *, within):
        return True

    async def receive(self, **_):
        for message in self.messages:
            yield message


def test_the_name_of_who_has_left_is_asked_for_once():
    """The members do not tell it, so that every message of theirs would ask again."""
    senders = ["carl"] * 50 + ["bob"] * 50
    messages = [
        types_pb2.Message(room_id="r", sequence=n, sender_id=sender, content=b"x")
        for n, sender in enumerate(senders, 1)
    ]

    async def main():
        client, model = Client(messages), Model("alice")
        session = Session(cast("Any", client), model, lambda: None)
        await session.run()
        while session._tasks:
            await asyncio.gather(*session._tasks)
        await session.close()
        assert model.names == {"carl": "", "bob": "Bob"}
        assert len(client.asked) <= 4, "once for each of them, and for the history of the room"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("first", "sent_before", "room"), [("/new attic", [], "attic"), ("/who", [("r", "hello")], "r")]
)
def test_a_line_waits_for_what_leads_to_another_room_and_for_nothing_else(first, sent_before, room):
    async def main():
        client, model = Client([], holds_back=True), Model("alice")
        model.enter("r")
        model.rooms["r"].loaded = True
        session = Session(cast("Any", client), model, lambda: None)
        typed(session, first)
        typed(session, "hello")
        for _ in range(10):
            await asyncio.sleep(0)
        assert client.sent == sent_before
        client.answers.set()
        while session._tasks:
            await asyncio.gather(*session._tasks)
        assert client.sent == [(room, "hello")]

    asyncio.run(main())


def test_what_was_meant_for_a_room_that_was_not_come_into_is_sent_nowhere():
    async def main():
        client, model = Client([], holds_back=True, refuses=ChatError("no")), Model("alice")
        model.enter("r")
        model.rooms["r"].loaded = True
        session = Session(cast("Any", client), model, lambda: None)
        typed(session, "/new attic")
        await asyncio.sleep(0)
        typed(session, "psst")
        client.answers.set()
        while session._tasks:
            await asyncio.gather(*session._tasks)
        assert client.sent == []
        said = [line.text for line in model.rooms["r"].lines]
        assert said == ["no", "Not sent, for it was meant for another room: psst"]
        typed(session, "hello")  # who has seen that it failed knows where this goes to
        while session._tasks:
            await asyncio.gather(*session._tasks)
        assert client.sent == [("r", "hello")]

    asyncio.run(main())


def test_who_has_left_a_talk_of_two_is_still_who_it_was():
    async def main():
        client, model = Client([]), Model("alice")
        client.direct = True
        session = Session(cast("Any", client), model, lambda: None)
        await session.run()
        assert model.rooms["r"].title == "@Bob"
        client.members = [types_pb2.Member(user_id="alice")]
        session._notice(Restored(""))
        while session._tasks:
            await asyncio.gather(*session._tasks)
        assert model.rooms["r"].title == "@Bob"

    asyncio.run(main())
