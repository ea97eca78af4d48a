"""`clients` and `rooms`: who takes part, and where they meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model.cast import Client, Receive, Room
from harness.source.cast_keys import ClientKeys, RoomKeys
from harness.source.reporter import Reporter
from harness.verbs.declared import not_a_user
from harness.verbs.keys import bad_value, read_keys
from harness.verbs.kinds import (
    COUNT,
    NAMES,
    BadValueError,
    Filled,
    Item,
    describe,
    read_name,
    read_room_name,
)
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean, escape
from harness.verbs.scope import Scope

MAX_CLIENTS = 10_000

#: Names that mean something else in a history or in `inboxes`.
RESERVED = ("server", "harness", "fence", "script", "nemesis", "everyone_else", "interleaved")


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
                keys = read_keys(ClientKeys, value, pointer, self.report, what="a client")
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
                sends=keys.sends,
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
        readers = self._users(keys.readers, f"{pointer}/readers")
        for user in readers:
            if user in admins:
                message = f"{user} is an admin of this room, who may send"
                self.report(
                    Problem(
                        code="contradiction",
                        pointer=f"{pointer}/readers",
                        message=message,
                        label="remove one",
                    )
                )
        self.cast.rooms[name] = Room(
            name=name,
            members=tuple(dict.fromkeys((*members, *admins, *readers))),
            admins=tuple(admins),
            readers=tuple(readers),
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
