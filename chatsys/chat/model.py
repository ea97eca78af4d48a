"""What a person sees: rooms with their unread counts, the lines of each, and how the connection is. Pure.

Invariants: a message is one line, however often and by whatever way it comes (sent here, streamed, read as history);
the lines of a room ascend by sequence, with what is not stored yet at the end; unread is what came from others into a
room that is not looked at.
"""

from __future__ import annotations

import bisect
import enum
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from chatsys.v1.types_pb2 import Message

NO_ROOM: Final = (
    "You are in no room. /join ROOM enters an open one, /new ROOM makes one, /dm USER talks to one."
)


class Mark(enum.Enum):
    """How far a line of one's own has come."""

    NONE = " "
    SENDING = "…"
    STORED = "✓"
    FAILED = "!"


@dataclass(slots=True)
class Line:
    """One line of a room: a message, or a word of the program."""

    text: str
    sender: str = ""
    """Empty for what the program says."""
    sequence: int = 0
    """0 while it is not stored."""
    message_id: str = ""
    seconds: int = 0
    mark: Mark = Mark.NONE


@dataclass(slots=True)
class Room:
    """One room of the person."""

    room_id: str
    title: str
    told: int = 0
    """Unread, as the server counted when it was asked; what it counted comes by the stream, too."""
    heard: int = 0
    """Unread, as it came by the stream."""
    lines: list[Line] = field(default_factory=list)
    """What is stored, ascending."""
    unsent: list[Line] = field(default_factory=list)
    """What is not stored, as far as is known."""
    loaded: bool = False
    """Whether the newest page of its history was read."""
    complete: bool = False
    """Whether its lines begin where what may be seen begins."""
    ended: bool = False
    through: int = 0
    """Up to where it was shown or told of, to be acknowledged when it is looked at."""

    @property
    def unread(self) -> int:
        """What came from others and was not looked at."""
        return max(self.told, self.heard)

    @property
    def oldest(self) -> int:
        """Sequence of the first line that has one; 0 when none has."""
        return next((line.sequence for line in self.lines if line.sequence), 0)


class Model:
    """The rooms of one person, and the one that is looked at.

    Args:
        user: Whose; empty while the server has not said.
    """

    def __init__(self, user: str) -> None:
        self.user = user
        self.rooms: dict[str, Room] = {}
        self.current = ""
        self.lobby = Room("", "")
        """Holds what the program says to somebody who looks at no room."""
        self.status = "connecting"
        self.names: dict[str, str] = {}
        """By user id; empty where there is none, or none is known yet."""

    @property
    def room(self) -> Room | None:
        """The room that is looked at."""
        return self.rooms.get(self.current)

    def enter(self, room_id: str, title: str = "") -> Room:
        """A room of the person; the first one is looked at."""
        room = self.rooms.get(room_id)
        if room is None:
            room = self.rooms[room_id] = Room(room_id, title or room_id)
        room.ended = False
        if not self.current:
            self.look(room_id)
        return room

    def look(self, room_id: str) -> None:
        """Looks at another room: nothing in it is unread any more."""
        self.current = room_id
        room = self.rooms[room_id]
        room.told = room.heard = 0

    def step(self, by: int) -> None:
        """Looks at the next room, or with -1 at the one before."""
        names = list(self.rooms)
        if names:
            at = names.index(self.current) if self.current in self.rooms else 0
            self.look(names[(at + by) % len(names)])

    def arrived(self, message: Message) -> None:
        """A message came by the stream."""
        room = self.enter(message.room_id)
        room.through = max(room.through, message.sequence)
        fresh = self._put(room, message)
        if fresh and message.sender_id != self.user and room.room_id != self.current:
            room.heard += 1

    def remember(self, room_id: str, messages: Iterable[Message], *, complete: bool) -> None:
        """A page of a room's history was read; its messages are not news."""
        room = self.enter(room_id)
        page = list(messages)
        # What was said before the newest page was here came after all of it.
        early = [] if room.loaded else list(itertools.takewhile(lambda line: not line.sequence, room.lines))
        del room.lines[: len(early)]
        room.loaded = True
        room.complete = room.complete or complete
        for message in page:
            self._put(room, message)
        newest = max((message.sequence for message in page), default=0)
        at = next((n for n, line in enumerate(room.lines) if line.sequence > newest), len(room.lines))
        room.lines[at:at] = early

    def sending(self, room_id: str, message_id: str, text: str) -> None:
        """A message of one's own is on its way."""
        self.enter(room_id).unsent.append(Line(text, self.user, message_id=message_id, mark=Mark.SENDING))

    def stored(self, room_id: str, message_id: str, sequence: int) -> None:
        """It is stored."""
        room = self.rooms[room_id]
        for line in room.unsent:
            if line.message_id == message_id:
                room.unsent.remove(line)
                line.sequence, line.mark = sequence, Mark.STORED
                self._insert(room, line)
                return

    def failed(self, room_id: str, message_id: str, why: str) -> None:
        """It was refused, or nobody answered."""
        for line in self.rooms[room_id].unsent:
            if line.message_id == message_id:
                line.mark = Mark.FAILED
        self.say(why, room_id)

    def again(self) -> list[Line]:
        """What failed in the room looked at, to be sent once more under the same ids."""
        failed = [] if self.room is None else [line for line in self.room.unsent if line.mark is Mark.FAILED]
        for line in failed:
            line.mark = Mark.SENDING
        return failed

    def say(self, text: str, room_id: str = "") -> None:
        """The program says something, in a room or in the one looked at."""
        self.rooms.get(room_id or self.current, self.lobby).lines.append(Line(text))

    def forget(self) -> None:
        """The log of the server is another one: sequences begin anew."""
        for room in self.rooms.values():
            room.lines.clear()
            room.loaded = room.complete = False
            room.through = 0

    def name(self, user_id: str) -> str:
        """What a user is called: the name it chose, with its id where two chose the same; else the id."""
        name = self.names.get(user_id, "")
        if name and list(self.names.values()).count(name) > 1:
            return f"{name} ({user_id})"
        return name or user_id

    def _put(self, room: Room, message: Message) -> bool:
        """Makes a line of a message; False when there is one already."""
        if message.client_message_id and message.sender_id == self.user:
            self.stored(room.room_id, message.client_message_id, message.sequence)
        own = message.sender_id == self.user
        line = Line(
            message.content.decode(errors="replace"),
            message.sender_id,
            message.sequence,
            message.client_message_id,
            message.create_time.seconds,
            Mark.STORED if own else Mark.NONE,
        )
        return self._insert(room, line)

    @staticmethod
    def _insert(room: Room, line: Line) -> bool:
        # What the program said has no sequence and stays behind the message it came after.
        keys = []
        last = 0
        for each in room.lines:
            last = each.sequence or last
            keys.append(last)
        at = bisect.bisect_right(keys, line.sequence)
        before = next((each for each in reversed(room.lines[:at]) if each.sequence), None)
        if before is not None and before.sequence == line.sequence:
            before.seconds = before.seconds or line.seconds
            return False
        room.lines.insert(at, line)
        return True
