"""The keys of a client and of a room, and what may stand under each."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.model.cast import Acks, Entry, HistoryVisibility, Receive, Sends, Token
from harness.verbs.keys import Keys, key
from harness.verbs.kinds import (
    COUNT,
    FLAG,
    NAMES,
    RATE,
    TEXT,
    BadValueError,
    Item,
    Kind,
    integer,
    one_of,
    read_name,
    read_text,
    wrong_type,
)
from harness.verbs.problem import escape

RECEIVE: Kind[Receive] = one_of("stream", "poll", "manual")

_TOKENS = ("valid", "missing", "forged", "expired", "revoked", "other_audience")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
#: Environment variables that chatsim itself sets, or that would take a process out of its hands.
_KEPT_VARIABLES = ("CHATSIM_", "LD_")


def _user_name(value: object) -> str:
    return read_name(value, "a user")


def _consumer_name(value: object) -> str:
    return read_name(value, "a consumer")


def _read_token(value: object) -> tuple[Token, str | None]:
    if isinstance(value, dict):
        if list(value) != ["literal"]:
            raise BadValueError("the one key here is `literal`", "write `{literal: the-token}`")
        return "literal", read_text(value["literal"], "the token itself", "/literal")
    return one_of(*_TOKENS).parse(value), None


def _read_env(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise wrong_type("a map of variables", value, "write `{NAME: value}`")
    found = []
    for name, text in value.items():
        at = f"/{escape(name)}"
        if _VARIABLE.match(name) is None or name.startswith(_KEPT_VARIABLES):
            raise BadValueError(f"`{name[:70]}` cannot be set here", "choose another variable", at=at)
        found.append((name, read_text(text, "the value of a variable", at)))
    return tuple(found)


def _read_command(value: object) -> str:
    text = read_text(value, "a command")
    try:
        words = shlex.split(text)
    except ValueError as fault:
        raise BadValueError(f"this command cannot be split into words: {fault}", "close the quotes") from None
    if not words:
        raise BadValueError("the command is empty", "write a program and its arguments")
    return text


_NAME_SCHEMA = {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$"}


_TOKEN_SCHEMA: Mapping[str, Any] = {
    "anyOf": [
        {"enum": list(_TOKENS)},
        {
            "type": "object",
            "properties": {"literal": {"type": "string", "description": "The token itself."}},
            "required": ["literal"],
            "additionalProperties": False,
        },
    ]
}


@dataclass(frozen=True, kw_only=True)
class ClientKeys(Keys):
    """The keys of one client."""

    name: str | None = key(TEXT, "Its display name; several may have the same one.", default=None)
    user: str | None = key(
        Kind(_user_name, _NAME_SCHEMA), "Whose device it is; its own name unless given.", default=None
    )
    consumer: str | None = key(
        Kind(_consumer_name, _NAME_SCHEMA), "Which of the user's devices it is, for the server.", default=None
    )
    receive: Receive | None = key(
        RECEIVE, "How it receives: pushed, polled all the time, or read by hand.", default=None
    )
    acks: Acks = key(one_of("auto", "manual"), "Whether it acknowledges what it was handed.", default="auto")
    sends: Sends = key(
        one_of("unary", "stream"), "Whether it sends by a call each, or by one open stream.", default="unary"
    )
    include_own: bool = key(FLAG, "Whether it also receives what its own user's devices send.", default=False)
    window: int | None = key(
        integer(1, 65_536), "After so many unacknowledged messages the server is to wait.", default=None
    )
    handles: float | None = key(
        RATE, "A slow reader: so many messages are handed over and acknowledged, as in `20/s`.", default=None
    )
    stay_offline: bool = key(
        FLAG,
        "Offline at the end, it is judged by its record, and not brought back to be read.",
        default=False,
    )
    token: tuple[Token, str | None] = key(
        Kind(_read_token, _TOKEN_SCHEMA),
        "The token it shows: `valid` unless given; `{literal: TEXT}` for one of your own.",
        default=("valid", None),
    )
    env: tuple[tuple[str, str], ...] = key(
        Kind(_read_env, {"type": "object", "additionalProperties": {"type": "string"}}),
        "Environment variables for its process: `{NAME: value}`.",
        default=(),
    )
    command: str | None = key(
        Kind(_read_command, {"type": "string", "minLength": 1}), "A driver command of its own.", default=None
    )
    count: int | None = key(
        COUNT, "Makes a series of clients: `user: {count: 3}` is user-1 to user-3.", default=None
    )


@dataclass(frozen=True, kw_only=True)
class RoomKeys(Keys):
    """The keys of one room."""

    members: Sequence[Item] = key(NAMES, "Users who are in it from the start, online or not.")
    admins: Sequence[Item] = key(
        NAMES,
        "Users who may add and remove others; members too. The server that ships lets anybody do so, unless "
        "`server: {auth: tokens}` has it look at who it is.",
        default=(),
    )
    readers: Sequence[Item] = key(NAMES, "Users who receive and may not send; members too.", default=())
    history: HistoryVisibility = key(
        one_of("since_join", "whole_room"), "What somebody who joins later may see.", default="since_join"
    )
    entry: Entry = key(one_of("invite", "open"), "Whether anybody may join.", default="invite")
