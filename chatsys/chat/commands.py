"""What is typed: messages, and commands behind a slash, each of them one function and one line in the table."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from chatsys.chat.model import NO_ROOM
from chatsys.client import ChatError
from chatsys.v1.types_pb2 import JoinPolicy

if TYPE_CHECKING:
    from chatsys.chat.session import Session

KEYS: Final = (
    "Tab or Ctrl-N: next room · Ctrl-P: the one before · PageUp, PageDown: scroll · Ctrl-C: quit",
    "A line that begins with // is a message that begins with a slash.",
)


class Command(NamedTuple):
    """One command."""

    wants: str
    """What stands behind it, as /help shows it; empty for nothing."""
    does: str
    run: Callable[[Session, str], Awaitable[None]]
    here: bool = False
    """Whether it is about the room that is looked at."""
    leads: bool = False
    """Whether it leads to another room, which what is typed behind it is about."""


def typed(session: Session, text: str) -> None:
    """A line was entered: a message, or a command. It waits for those before it that lead to another room."""
    if text.strip():
        session.start(_take(session, text, follows=session.turn.locked()))


async def _take(session: Session, text: str, *, follows: bool) -> None:
    word, _, rest = text[1:].partition(" ")
    async with session.turn:
        if not text.startswith("/") or text.startswith("//"):
            if follows and session.astray:  # it was meant for a room that was not come into, not for this one
                session.model.say(f"Not sent, for it was meant for another room: {text.removeprefix('/')}")
                return
            session.say(text.removeprefix("/"))
            return
        if word in COMMANDS and COMMANDS[word].leads:
            session.astray = True
            await _carry_out(session, word, rest.strip())
            session.astray = False
            return
    await _carry_out(session, word, rest.strip())


async def _carry_out(session: Session, word: str, rest: str) -> None:
    command = COMMANDS.get(word)
    say = session.model.say
    if command is None:
        near = difflib.get_close_matches(word, COMMANDS, n=1)
        meant = f"Did you mean /{near[0]}?" if near else "/help says what there is."
        say(f"There is no /{word}. {meant} A message that begins with a slash begins with //.")
    elif command.wants and not rest:
        say(f"Say it with what it is about: /{word} {command.wants}")
    elif command.here and session.model.room is None:
        say(NO_ROOM)
    else:
        await command.run(session, rest)


async def _join(session: Session, room_id: str) -> None:
    try:
        await session.client.join_room(room_id)
    except ChatError as fault:
        if fault.reason != "NOT_A_MEMBER":
            raise
        why = f"You cannot enter {room_id} by yourself: if it is there, one of its admins may /add you."
        raise ChatError(why, code=fault.code, reason=fault.reason) from fault
    session.enter(room_id)


async def _leave(session: Session, _rest: str) -> None:
    await session.client.leave_room(session.model.current)


async def _open(session: Session, _rest: str) -> None:
    found = await session.client.list_rooms(include_open=True)
    names = [room.room_id for room in found if room.room_id not in session.model.rooms]
    session.model.say(
        f"Open to you: {', '.join(names)}" if names else "There is no open room but those you are in."
    )


async def _new(session: Session, rest: str) -> None:
    room_id, _, entry = rest.partition(" ")
    if entry.strip() not in ("", "open"):
        raise ChatError(f"Say /new {room_id}, or /new {room_id} open; the id of a room is one word.")
    policy = JoinPolicy.JOIN_POLICY_OPEN if entry else JoinPolicy.JOIN_POLICY_INVITE
    await session.client.create_room(room_id, entry=policy)
    session.enter(room_id)


async def _add(session: Session, user: str) -> None:
    await session.client.add_member(session.model.current, user)
    session.model.say(f"{user} is in the room now.")


async def _kick(session: Session, user: str) -> None:
    await session.client.remove_member(session.model.current, user)
    session.model.say(f"{user} is no member any more.")


async def _direct(session: Session, user: str) -> None:
    room, _ = await session.client.open_direct_room(user)
    session.enter(room.room_id, f"@{user}")


async def _who(session: Session, _rest: str) -> None:
    members = await session.client.list_members(session.model.current)
    session.model.say("Here: " + ", ".join(member.display_name or member.user_id for member in members))


async def _again(session: Session, _rest: str) -> None:
    for line in session.model.again():
        session.send(session.model.current, line.message_id, line.text)


async def _help(session: Session, _rest: str) -> None:
    forms = {f"/{word} {command.wants}": command.does for word, command in COMMANDS.items()}
    widest = max(map(len, forms))
    for form, does in forms.items():
        session.model.say(f"{form:{widest}}  {does}")
    for line in KEYS:
        session.model.say(line)


async def _quit(session: Session, _rest: str) -> None:
    session.quit.set()


COMMANDS: Final[Mapping[str, Command]] = {
    "join": Command("ROOM", "enter an open room", _join, leads=True),
    "leave": Command("", "leave this room", _leave, here=True),
    "open": Command("", "which rooms you could join", _open),
    "new": Command(
        "ROOM [open]",
        "make a room, whose admin you are",
        _new,
        leads=True,
    ),
    "add": Command("USER", "take somebody into this room", _add, here=True),
    "kick": Command("USER", "put somebody out of it", _kick, here=True),
    "dm": Command("USER", "talk to one person alone", _direct, leads=True),
    "who": Command("", "who is in this room", _who, here=True),
    "again": Command("", "send what failed once more; it is stored once", _again),
    "help": Command("", "say this", _help),
    "quit": Command("", "end", _quit),
}
