"""`clients` and `rooms`: who takes part, and where they meet."""

# ruff: noqa: RUF009 - `key` is `dataclasses.field`, and has to be called in the class body
from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model.cast import Acks, Client, Entry, HistoryVisibility, Receive, Room, Token
from harness.source.reporter import Reporter
from harness.verbs.keys import Keys, bad_value, key, read_keys
from harness.verbs.kinds import (
    COUNT,
    FLAG,
    NAMES,
    RATE,
    TEXT,
    BadValueError,
    Filled,
    Item,
    Kind,
    describe,
    integer,
    one_of,
    read_name,
    read_room_name,
    read_text,
    wrong_type,
)
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean, escape
from harness.verbs.scope import Scope, not_a_user

MAX_CLIENTS = 10_000
RECEIVE: Kind[Receive] = one_of("stream", "poll", "manual")

#: Names that mean something else in a history or in `inboxes`.
RESERVED = ("server", "harness", "fence", "script", "nemesis", "everyone_else", "interleaved")

_LATER_CLIENT_KEYS = {"sends": "whether it sends by single calls or by a stream"}
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
    admins: Sequence[Item] = key(NAMES, "Users who may add and remove others; members too.", default=())
    history: HistoryVisibility = key(
        one_of("since_join", "whole_room"), "What somebody who joins later may see.", default="since_join"
    )
    entry: Entry = key(one_of("invite", "open"), "Whether anybody may join.", default="invite")


@dataclass(slots=True)
class Cast:
    """The clients and rooms of a file, as far as they could be read."""

    clients: dict[str, Client] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    """Client -> the pointer of the entry that makes it."""
    clients_known: bool = True
    rooms_known: bool = True


def read_cast(data: Mapping[str, Any], reporter: Reporter, receive: Receive) -> Cast:
    """Read `clients` and `rooms` of a file; `receive` is the default of all clients."""
    cast = Cast()
    scope = Scope(clients={}, rooms={}, place=reporter.tree.place, report=reporter)
    before = reporter.errors
    if "clients" in data:
        _Clients(cast, scope, reporter, receive, given="receive" in data).read(data["clients"])
    cast.clients_known = reporter.errors == before and "clients" in data
    before = reporter.errors
    if "rooms" in data:
        _Rooms(cast, scope, reporter).read(data["rooms"])
    cast.rooms_known = reporter.errors == before
    return cast


class _Clients:
    def __init__(
        self, cast: Cast, scope: Scope, reporter: Reporter, receive: Receive, *, given: bool
    ) -> None:
        self.cast, self.scope, self.report, self.receive = cast, scope, reporter, receive
        self.receive_given = given

    def read(self, data: object) -> None:
        match data:
            case list() | dict() if not data:
                self._problem(
                    "says-nothing", "/clients", "nobody takes part", "name somebody: `[alice, bob]`"
                )
            case list():
                for index, item in enumerate(data):
                    self._listed(item, f"/clients/{index}")
            case dict():
                for name, value in data.items():
                    self._entry(name, value, f"/clients/{escape(name)}")
            case _:
                self._problem(
                    "wrong-type",
                    "/clients",
                    f"a list or a map of names is wanted here, not {describe(data)}",
                    "write `[alice, bob]`",
                )

    def _listed(self, item: object, pointer: str) -> None:
        if isinstance(item, dict):
            self._problem(
                "wrong-type",
                pointer,
                "a name is wanted here, not a map",
                "make all of `clients` a map: no hyphens",
            )
            return
        try:
            text = item if isinstance(item, str) and ".." in item else read_name(item, "a client")
        except BadValueError as fault:
            self.report(bad_value(fault, pointer))
            return
        self._make(list(self.scope.expand(text, pointer)), ClientKeys(), pointer, on_key=False)

    def _entry(self, name: str, value: object, pointer: str) -> None:
        if isinstance(value, Filled):
            value = value.plain()
        match value:
            case None:
                keys = ClientKeys()
            case dict():
                keys = read_keys(
                    ClientKeys, value, pointer, self.report, what="a client", later=_LATER_CLIENT_KEYS
                )
            case bool() | str() | float() | list():
                self._problem(
                    "wrong-type",
                    pointer,
                    f"the keys of a client or a count are wanted here, not {describe(value)}",
                    "`{}` for a plain client, `{name: Luis}` for a display name, `50` for a series",
                )
                keys = ClientKeys()
            case _:
                keys = ClientKeys()
                try:
                    keys = ClientKeys(count=COUNT.parse(value))
                except BadValueError as fault:
                    self.report(bad_value(fault, pointer))
        names = list(self.scope.expand(name, pointer))
        if keys.count is not None:
            if len(self.cast.clients) + keys.count > MAX_CLIENTS:
                self._problem(
                    "bad-value",
                    pointer,
                    f"more than {MAX_CLIENTS:,} clients",
                    f"{MAX_CLIENTS:,} at most",
                    on_key=False,
                )
                return
            names = [f"{name}-{number}" for number in range(1, keys.count + 1)]
        self._make(names, keys, pointer, on_key=True)

    def _make(self, names: list[str], keys: ClientKeys, pointer: str, *, on_key: bool) -> None:
        for name in names:
            if name in self.cast.clients:
                self.report(
                    Problem(
                        code="duplicate-name",
                        pointer=pointer,
                        message=f"two clients are called `{name}`",
                        label="choose another; for a display name that repeats write `{name: Luis}`",
                        on_key=on_key,
                        related=(Place(self.cast.pointers[name], "first here", on_key=on_key),),
                    )
                )
                return
            if name in RESERVED:
                self._problem(
                    "bad-name", pointer, f"`{name}` cannot be the name of a client",
                    "it means something else to chatsim", on_key=on_key,
                )  # fmt: skip
                return
            try:
                read_name(name, "a client")
            except BadValueError as fault:
                self._problem(fault.code, pointer, fault.message, fault.label, on_key=on_key)
                return
            self.cast.pointers[name] = pointer
            self.cast.clients[name] = Client(
                name=name,
                user=keys.user or name,
                display_name=name if keys.name is None else keys.name,
                receive=keys.receive or self.receive,
                receive_given=self.receive_given or keys.receive is not None,
                acks=keys.acks,
                include_own=keys.include_own,
                consumer=keys.consumer or (name if keys.user not in (None, name) else ""),
                window=keys.window,
                handles_per_s=keys.handles,
                stay_offline=keys.stay_offline,
                token=keys.token[0],
                token_text=keys.token[1],
                env=keys.env,
                command=keys.command,
            )

    def _problem(self, code: str, pointer: str, message: str, label: str, *, on_key: bool = False) -> None:
        self.report(Problem(code=code, pointer=pointer, message=message, label=label, on_key=on_key))


class _Rooms:
    def __init__(self, cast: Cast, scope: Scope, reporter: Reporter) -> None:
        self.cast, self.scope, self.report = cast, scope, reporter
        self.users = {client.user for client in cast.clients.values()}

    def read(self, data: object) -> None:
        if not isinstance(data, dict):
            label = "write `{lobby: [alice, bob]}`"
            if data is None:
                label = "remove the key, or write `{lobby: [alice, bob]}`"
            self.report(
                Problem(
                    code="wrong-type",
                    pointer="/rooms",
                    message=f"a map of rooms and their members is wanted here, not {describe(data)}",
                    label=label,
                )
            )
            return
        for name, value in data.items():
            self._room(name, value, f"/rooms/{escape(name)}")

    def _room(self, name: str, value: object, pointer: str) -> None:
        try:
            read_room_name(name)
        except BadValueError as fault:
            self.report(
                Problem(
                    code=fault.code,
                    pointer=pointer,
                    message=fault.message,
                    label=fault.label,
                    help=fault.hints,
                    on_key=True,
                )
            )
        if isinstance(value, dict):
            keys = read_keys(RoomKeys, value, pointer, self.report, what="a room")
            at = f"{pointer}/members"
        else:
            at = pointer
            try:
                keys = RoomKeys(members=NAMES.parse([] if value is None else value))
            except BadValueError as fault:
                self.report(bad_value(fault, pointer))
                return
        members = self._users(keys.members, at)
        admins = self._users(keys.admins, f"{pointer}/admins")
        self.cast.rooms[name] = Room(
            name=name,
            members=tuple(dict.fromkeys((*members, *admins))),
            admins=tuple(admins),
            history=keys.history,
            entry=keys.entry,
        )

    def _users(self, items: Sequence[Item], pointer: str) -> list[str]:
        found: dict[str, str] = {}
        for item in items:
            where = pointer + item.at
            for name in self.scope.expand(item.text, where):
                if name not in found and name not in self.users:
                    if self.cast.clients_known:
                        self.report(self._unknown(name, where))
                    break  # one sentence for a whole range
                if name in found:
                    self.report(
                        Problem(
                            code="listed-twice",
                            pointer=where,
                            message=f"`{name}` stands here twice",
                            label="remove one",
                            related=() if found[name] == where else (Place(found[name], "first here"),),
                        )
                    )
                    break
                found[name] = where
        return list(found)

    def _unknown(self, name: str, pointer: str) -> Problem:
        if name in self.cast.clients:
            return not_a_user(self.cast.clients[name], pointer)
        return Problem(
            code="unknown-client",
            pointer=pointer,
            message=f"no client is called `{name[:70]}`",
            label=did_you_mean(name, self.users),
            help=(f"clients: {listing(self.cast.clients)}",),
        )


def unused(cast: Cast, used: set[str]) -> Iterator[Problem]:
    """Yield a warning for every client and room that the file never speaks of again."""
    members = {member for room in cast.rooms.values() for member in room.members}
    for name, client in cast.clients.items():
        if f"client {name}" not in used and client.user not in members:
            yield Problem(
                code="unused",
                severity="warning",
                pointer=cast.pointers[name],
                message=f"the client `{name}` takes no part",
                label="remove it, or `connect` it",
                on_key=True,
            )
    for name in cast.rooms:
        if f"room {name}" not in used:
            yield Problem(
                code="unused",
                severity="warning",
                pointer=f"/rooms/{escape(name)}",
                message=f"nothing is said in the room `{name}`",
                label="remove it, or send something",
                on_key=True,
            )
