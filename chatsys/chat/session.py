"""What ``chatsys chat`` does with the server: reads the stream, sends, and carries out what is typed.

Invariants: what is typed is answered on the screen, never by an exception; a message that failed keeps its id, so
that sending it again stores it once; only what was looked at is acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from chatsys.chat.model import Model
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

HELP: Final = (
    "/join ROOM · /leave · /new ROOM · /dm USER · /who · /again (send what failed) · /quit",
    "Tab or Ctrl-N: next room · Ctrl-P: the one before · PageUp, PageDown: scroll · Ctrl-C: quit",
)


class Session:
    """One person on one server.

    Args:
        client: Of this person, with ``include_own``.
        model: What is on the screen.
        redraw: Called when that changed.
    """

    def __init__(self, client: Client, model: Model, redraw: Callable[[], None]) -> None:
        self._client = client
        self.model = model
        self._redraw = redraw
        self._tasks: set[asyncio.Task[None]] = set()
        self.quit = asyncio.Event()

    async def run(self) -> None:
        """Reads until it is cancelled, or the stream ended for good.

        Raises:
            ChatError: It did, or nobody answers at all.
        """
        await self._rooms()
        # Runs when receive() has asked for the stream: a person who reads "connected" misses nothing from then on.
        self._start(self._opened())
        async for message in self._client.receive(window=WINDOW, acks=False, notices=self._notice):
            self.model.arrived(message)
            if message.room_id == self.model.current:
                self._client.ack(message.room_id, message.sequence)
            if message.sender_id not in self.model.names:
                self._start(self._learn_names(message.room_id))
            self._redraw()

    async def close(self) -> None:
        """Lets acknowledgements leave, and ends what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await self._client.flush_acks(within=0.5)

    def typed(self, text: str) -> None:
        """A line was entered: a message, or a command."""
        if text.startswith("/") and not text.startswith("//"):
            word, _, rest = text[1:].partition(" ")
            self._start(self._command(word, rest.strip()))
        elif text.strip():
            room = self.model.room
            if room is None:
                self.model.say("You are in no room. /join ROOM enters an open one, /new ROOM makes one.")
            else:
                message_id = uuid7()
                said = text[1:] if text.startswith("//") else text
                self.model.sending(room.room_id, message_id, said)
                self._start(self._send(room.room_id, message_id, said))
        self._redraw()

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
            self._client.ack(room.room_id, room.through)
        if not room.loaded:
            self._start(self.older())
        self._redraw()

    async def older(self) -> None:
        """Reads one more page of the history of the room looked at."""
        room = self.model.room
        if room is None or room.complete or room.ended:
            return
        before = room.oldest or 2**62
        messages, more = await self._client.list_messages(room.room_id, before=before, limit=PAGE)
        self.model.remember(room.room_id, messages, complete=not more)
        if messages and not room.through:
            room.through = messages[-1].sequence
        if room.through and room.room_id == self.model.current:
            self._client.ack(room.room_id, room.through)
        await self._learn_names(room.room_id)
        self._redraw()

    def scroll_back(self) -> None:
        """The person came to the top of what is there."""
        self._start(self.older())

    async def _opened(self) -> None:
        await self._client.progress(within=OPEN_WITHIN)
        if self.model.status == "connecting":
            self.model.status = "connected"
            self._redraw()

    async def _rooms(self) -> None:
        unread = {each.room_id: each.unread_count for each in await self._client.list_cursors()}
        rooms = await self._client.list_rooms()
        for room in sorted(rooms, key=lambda room: (room.direct, room.room_id)):
            title = room.display_name or room.room_id
            if room.direct:
                others = [
                    m for m in await self._client.list_members(room.room_id) if m.user_id != self.model.user
                ]
                title = "@" + (others[0].display_name or others[0].user_id if others else "nobody")
            self.model.enter(room.room_id, title).title = title
            if room.room_id != self.model.current:
                self.model.rooms[room.room_id].told = unread.get(room.room_id, 0)
        self.look()

    def _notice(self, notice: Notice) -> None:
        match notice:
            case Lost(fault):
                self.model.status = f"connection lost ({fault.code.name}), trying again"
            case Restored():
                self.model.status = "connected again"
                self._start(self._rooms())
            case EpochChanged():
                self.model.status = "connected"
                self.model.forget()
                self.model.say("The server's log was restored from an older copy; this is what it holds now.")
                self._start(self._rooms())
            case Delta(room=room_id, lost_through=lost, ended=ended, through=through):
                if lost:
                    self.model.say(f"Messages up to #{lost} are no longer stored.", room_id)
                if ended and room_id in self.model.rooms:
                    self.model.rooms[room_id].ended = True
                    self.model.say("You are no member of this room any more.", room_id)
                    self._client.ack_ended(room_id, through)
        self._redraw()

    async def _learn_names(self, room_id: str) -> None:
        for member in await self._client.list_members(room_id):
            self.model.names[member.user_id] = member.display_name
        self._redraw()

    async def _send(self, room_id: str, message_id: str, text: str) -> None:
        try:
            sent = await self._client.send(room_id, text, client_message_id=message_id, within=SEND_WITHIN)
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

    async def _command(self, word: str, rest: str) -> None:
        commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "join": self._join,
            "leave": self._leave,
            "new": self._new,
            "dm": self._direct,
            "who": self._who,
            "again": self._again,
            "help": self._help,
            "quit": self._quit,
        }
        command = commands.get(word)
        if command is None:
            self.model.say(
                f"There is no /{word}. /help says what there is; // begins a message with a slash."
            )
        else:
            await command(rest)
        self._redraw()

    async def _join(self, room_id: str) -> None:
        await self._client.join_room(room_id)
        self.model.enter(room_id)
        self.look(room_id=room_id)

    async def _leave(self, _rest: str) -> None:
        if self.model.room is not None:
            await self._client.leave_room(self.model.current)

    async def _new(self, room_id: str) -> None:
        await self._client.create_room(room_id)
        self.model.enter(room_id)
        self.look(room_id=room_id)

    async def _direct(self, user: str) -> None:
        room, _ = await self._client.open_direct_room(user)
        self.model.enter(room.room_id).title = f"@{user}"
        self.look(room_id=room.room_id)

    async def _who(self, _rest: str) -> None:
        if self.model.room is not None:
            members = await self._client.list_members(self.model.current)
            self.model.say("Here: " + ", ".join(m.display_name or m.user_id for m in members))

    async def _again(self, _rest: str) -> None:
        for line in self.model.again():
            self._start(self._send(self.model.current, line.message_id, line.text))

    async def _help(self, _rest: str) -> None:
        for line in HELP:
            self.model.say(line)

    async def _quit(self, _rest: str) -> None:
        self.quit.set()

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except ChatError as fault:
            self.model.say(f"{fault.message or fault}")
            self._redraw()
