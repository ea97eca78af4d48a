"""What `--server` says: the command of a server to start, or the address of one that runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final, NamedTuple

#: The words of a server command that are filled in, and what for.
WORDS: Final[Mapping[str, str]] = {
    "port": "a free TCP port, the server's to listen on",
    "host": "the address to listen on: loopback",
    "data": "a folder that does not exist yet, the same over a restart",
    "members": "user ids of all who are in a room when the script begins, joined by commas",
    "options": "the scenario's `server.options` as one JSON object, names to texts",
    "member_numbers": "their numbers in the cast, which count from 1",
}

_ADDRESS: Final = re.compile(
    r"(?:(?P<name>[A-Za-z0-9_.-]+)|\[(?P<six>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})"
)
_WORD: Final = re.compile(r"\{(\w+)\}")


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class BadCommandError(ValueError):
    """A command that names no program; the text says what is wrong with it, and what to write."""


def checked(command: str | None) -> str | None:
    """Return a command as it is; None is one that was not given.

    An empty one is what a variable leaves that was never set. Taken for none at all, our own server would be played
    in place of the one that was meant, and pass.

    Raises:
        BadCommandError: there is no word in it, or a quotation mark without its other.
    """
    if command is None:
        return None
    try:
        words = shlex.split(command)
    except ValueError as fault:
        raise BadCommandError(
            f"{command!r} is no command ({str(fault).lower()}): quote it as for a shell"
        ) from fault
    if not words or not words[0]:
        raise BadCommandError(f"{command!r} is no command: give one, or leave the option out to play chatsys")
    return command


def address_of(server: str | None) -> Address | None:
    """Return the address that `--server` names; None when it is a command, or nothing."""
    found = _ADDRESS.fullmatch(server.strip()) if server is not None else None
    if found is None or not 0 < int(found["port"]) < 65536:
        return None
    return Address(found["name"] or found["six"], int(found["port"]))


def uses(command: str | None, *words: str) -> bool:
    """Whether a command has one of these words to fill in."""
    return bool(set(_WORD.findall(command or "")) & set(words))


def fill(command: str, values: Mapping[str, str]) -> list[str]:
    """Split a command as a shell does, and fill in its words.

    Args:
        command: the command; braces around anything else than a name of `values` stay.
        values: what each word stands for. A value is never split, whatever is in it.
    """
    return [_WORD.sub(lambda found: values.get(found[1], found[0]), part) for part in shlex.split(command)]
