"""What ``chatsys chat`` does with the server: reads the stream, sends, and carries out what is typed.

Invariants: what is typed is answered on the screen, never by an exception; a message that failed keeps its id, so
that sending it again stores it once; only what was looked at is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from chatsys.chat.model import NO_ROOM, Model
from chatsys.client import ChatError, Client, Delta, EpochChanged, Lost, Restored
from chatsys.client.client import Notice
from chatsys.client.ids import uuid7

PAGE: Final = 50
"""Messages of one page of history."""
WINDOW: Final = 65_536
"""What is not looked at is not acknowledged, and must not hold up what is."""
OPEN_WITHIN: Final = 3_600.0
"""Seconds; the stream is tried for as long as somebody looks at the screen."""
SEND_WITHIN: Final = 30.0
"""Seconds that a message is tried for before it is said to have failed."""


class Session:
    """One person on one server.

    Args:
        client: Of this person, with ``include_own``.
        model: What is on the screen.
        redraw: Called when that changed.
    """

    def __init__(self, client: Client, model: Model, redraw: Callable[[], None]) -> None:
        self.client = client
        self.model = model
        self._redraw = redraw
        self._tasks: set[asyncio.Task[None]] = set()
        self.quit = asyncio.Event()
        self.turn = asyncio.Lock()
        """Of what is typed: a line is about the room that the line before it led to."""
        self.astray = False
        """Whether the line before it should have led to another room, and did not."""

    async def run(self) -> None:
        """Reads until it is cancelled, or the stream ended for good.

        Raises:
            ChatError: It did, or nobody answers at all.
        """
        await self._rooms()
        # Runs when receive() has asked for the stream: a person who reads "connected" misses nothing from then on.
        self.start(self._opened())
        async for message in self.client.receive(
            window=WINDOW, acks=False, notices=self._notice, entered=self._entered
        ):
            self.model.arrived(message)
            if message.room_id == self.model.current:
                self.client.ack(message.room_id, message.sequence)
            if message.sender_id not in self.model.names:
                self.model.names[message.sender_id] = (
                    ""  # asked for once: who has left is not among the members
                )
                self.start(self._learn_names(message.room_id))
            self._redraw()

    async def close(self) -> None:
        """Lets acknowledgements leave, and ends what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await self.client.flush_acks(within=0.5)

    def look(self, step: int = 0, room_id: str = "") -> None:
        """Looks at another room, reads its history if it was not, and acknowledges what is seen."""
        if room_id:
            self.model.look(room_id)
        elif step:
            self.model.step(step)
        room = self.model.room
        if room is None:
            return
        if room.through:
            self.client.ack(room.room_id, room.through)
        if not room.loaded:
            self.start(self.older())
        self._redraw()

    def enter(self, room_id: str, title: str = "") -> None:
        """Looks at a room that the person has just come into."""
        room = self.model.enter(room_id)
        room.title = title or room.title
        self.look(room_id=room_id)

    async def older(self) -> None:
        """Reads one more page of the history of the room looked at."""
        room = self.model.room
        if room is None or room.complete or room.ended:
            return
        before = room.oldest or 2**62
        messages, more = await self.client.list_messages(room.room_id, before=before, limit=PAGE)
        self.model.remember(room.room_id, messages, complete=not more)
        if messages and not room.through:
            room.through = messages[-1].sequence
        if room.through and room.room_id == self.model.current:
            self.client.ack(room.room_id, room.through)
        await self._learn_names(room.room_id)
        self._redraw()

    def scroll_back(self) -> None:
        """The person came to the top of what is there."""
        self.start(self.older())

    async def _opened(self) -> None:
        await self.client.progress(within=OPEN_WITHIN)
        if self.model.status == "connecting":
            self.model.status = "connected"
            self._redraw()

    async def _rooms(self) -> None:
        unread = {each.room_id: each.unread_count for each in await self.client.list_cursors()}
        rooms = await self.client.list_rooms()
        for room in sorted(rooms, key=lambda room: (room.direct, room.room_id)):
            title = room.display_name or room.room_id
            if room.direct:
                others = [
                    m for m in await self.client.list_members(room.room_id) if m.user_id != self.model.user
                ]
                known = self.model.rooms.get(
                    room.room_id
                )  # who has left is no member, and is still who it was
                title = known.title if known is not None else "@nobody"
                if others:
                    title = "@" + (others[0].display_name or others[0].user_id)
            self.model.enter(room.room_id, title).title = title
            if room.room_id != self.model.current:
                self.model.rooms[room.room_id].told = unread.get(room.room_id, 0)
        self.look()
        if not rooms:
            self.model.say(NO_ROOM)

    def _notice(self, notice: Notice) -> None:
        match notice:
            case Lost(fault):
                self.model.status = f"connection lost ({fault.code.name}), trying again"
            case Restored():
                self.model.status = "connected again"
                self.start(self._rooms())
            case EpochChanged():
                self.model.status = "connected"
                self.model.forget()
                self.model.say("The server's log was restored from an older copy; this is what it holds now.")
                self.start(self._rooms())
            case Delta(room=room_id, lost_through=lost, ended=ended, through=through):
                if lost:
                    self.model.say(f"Messages up to #{lost} are no longer stored.", room_id)
                if ended and room_id in self.model.rooms:
                    self.model.rooms[room_id].ended = True
                    self.model.say("You are no member of this room any more.", room_id)
                    self.client.ack_ended(room_id, through)
        self._redraw()

    def _entered(self, room_id: str) -> None:
        room = self.model.rooms.get(room_id)
        if room is None or room.ended:
            # Somebody took us in, or talks to us alone: what is the room called?
            self.start(self._rooms())

    async def _learn_names(self, room_id: str) -> None:
        for member in await self.client.list_members(room_id):
            self.model.names[member.user_id] = member.display_name
        self._redraw()

    def say(self, text: str) -> None:
        """Sends a new message to the room looked at."""
        if self.model.room is None:
            self.model.say(NO_ROOM)
            return
        message_id = uuid7()
        self.model.sending(self.model.current, message_id, text)
        self.send(self.model.current, message_id, text)

    def send(self, room_id: str, message_id: str, text: str) -> None:
        """Sends what is on the screen as being on its way."""
        self.start(self._send(room_id, message_id, text))

    async def _send(self, room_id: str, message_id: str, text: str) -> None:
        try:
            sent = await self.client.send(room_id, text, client_message_id=message_id, within=SEND_WITHIN)
        except ChatError as fault:
            surely = (
                "Not sent" if fault.definite else "Nobody answered, so it is not known whether it was sent"
            )
            self.model.failed(
                room_id, message_id, f"{surely}: {fault.message or fault}. /again tries once more."
            )
        else:
            self.model.stored(room_id, message_id, sent.sequence)
        self._redraw()

    def start(self, work: Awaitable[None]) -> None:
        """Does something meanwhile; a refusal is said on the screen, which is drawn anew."""
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ChatError as fault:
            self.model.say(f"{fault.message or fault}")
        self._redraw()
