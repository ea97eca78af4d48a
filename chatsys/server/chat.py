"""ChatService: the data plane. Each method checks its request and hands it to the module that does it."""

from collections.abc import AsyncGenerator
from typing import Any

from chatsys.core import check
from chatsys.core.entry import Ack
from chatsys.core.outcome import Acked
from chatsys.server.call import Call
from chatsys.server.history import list_messages, page_number
from chatsys.server.polling import NOWHERE, Poll, Resume, named_rooms, reading_start
from chatsys.server.reading import Consumer
from chatsys.server.sending import SendStream, send_message
from chatsys.server.services import House, marks
from chatsys.server.stream import Stream, no_open_stream
from chatsys.v1 import chat_pb2

DEFAULT_CURSORS = 100


class ChatService:
    """See chatsys.v1.ChatService.

    Args:
        house: What it works with.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    async def send_message(self, request: chat_pb2.SendMessageRequest, call: Call) -> Any:
        """Stores one message."""
        return await send_message(self._house, request, call)

    async def send_messages(
        self, requests: AsyncGenerator[chat_pb2.SendMessagesRequest, None], call: Call
    ) -> None:
        """Stores batches of messages."""
        await SendStream(self._house, call).run(requests)

    async def poll(self, request: chat_pb2.PollRequest, call: Call) -> bytes:
        """Acknowledges, then returns what is not acknowledged yet."""
        return await Poll(self._house, request, call).run()

    async def subscribe(self, request: chat_pb2.SubscribeRequest, call: Call) -> None:
        """The same, pushed."""
        house = self._house
        check.consumer_id(request.consumer_id)
        consumer = Consumer(call.user_id, request.consumer_id, request.include_own)
        only = named_rooms(request.room_ids)
        resume = Resume(marks(request.resume_after, "resume_after"))
        window = check.page_size(
            request.max_unacked_messages,
            house.limits.default_unacked_messages,
            house.limits.max_unacked_messages,
            "max_unacked_messages",
        )
        house.needed(request.min_positions)
        house.guard.subscribing(house.hub, call.user_id, request.consumer_id)
        # A request that is refused must not end the stream that is open.
        reads = house.store.reads()
        for place in house.reading.places(reads, consumer):
            reading_start(place, resume)
        for room_id in sorted(only or ()):
            house.place_of(reads, consumer, room_id)
        stream = Stream(house, call, consumer, only, resume, window)
        await stream.run(list(request.min_positions))

    async def request_progress(self, request: chat_pb2.RequestProgressRequest, call: Call) -> Any:
        """Asks for a frame in the open stream of a consumer."""
        check.consumer_id(request.consumer_id)
        check.progress_token(request.token)
        needed = self._house.needed(request.min_positions)
        stream = self._house.hub.streams.get((call.user_id, request.consumer_id))
        if stream is None:
            raise no_open_stream()
        stream.ask(request.token, needed)
        return chat_pb2.RequestProgressResponse()

    async def ack_messages(self, request: chat_pb2.AckMessagesRequest, call: Call) -> Any:
        """Moves cursors."""
        check.consumer_id(request.consumer_id)
        read, ended = marks(request.acks, "acks")
        acked = await self._house.ask(Ack(call.user_id, request.consumer_id, read, ended), Acked)
        answer = chat_pb2.AckMessagesResponse()
        reads = self._house.store.reads()
        for room_id, sequence in acked.cursors:
            found = reads.room(room_id)
            assert found is not None, "rooms stay"
            number, room = found
            unread = reads.unread(number, sequence, call.user_id) if sequence < room.head else 0
            answer.cursors.add(room_id=room_id, acked_sequence=sequence, unread_count=unread)
        return answer

    async def list_messages(self, request: chat_pb2.ListMessagesRequest, call: Call) -> Any:
        """Reads history."""
        return await list_messages(self._house, request, call)

    async def list_cursors(self, request: chat_pb2.ListCursorsRequest, call: Call) -> Any:
        """Cursors and unread counts of the caller."""
        check.consumer_id(request.consumer_id)
        size = check.page_size(request.page_size, DEFAULT_CURSORS, self._house.limits.max_page_size)
        after = page_number(request.page_token) or 0
        await self._house.reach(request.min_positions, call)
        reads = self._house.store.reads()
        answer = chat_pb2.ListCursorsResponse()
        places = [
            place
            for place in reads.places(call.user_id, request.consumer_id)
            if place.number > after and not place.end_sequence
        ]
        for place in places[:size]:
            acked = reading_start(place, NOWHERE)
            unread = reads.unread(place.number, acked, call.user_id) if acked < place.head else 0
            answer.cursors.add(room_id=place.room_id, acked_sequence=acked, unread_count=unread)
        if len(places) > size:
            answer.next_page_token = str(places[size - 1].number)
        return answer
