"""`inboxes`: what each client must have received by the end, exactly and in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.model.actions import InboxItem
from harness.model.plan import Inbox
from harness.source.reporter import Reporter
from harness.verbs.declared import Message
from harness.verbs.items import INTERLEAVED, read_inbox_items
from harness.verbs.kinds import describe
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean, escape
from harness.verbs.scope import Scope

EVERYONE_ELSE = "everyone_else"


class Inboxes(NamedTuple):
    """What the table says."""

    inboxes: tuple[Inbox, ...] = ()
    listed: tuple[str, ...] = ()


def read_inboxes(data: object, scope: Scope, reporter: Reporter) -> Inboxes:
    """Read the table; faults are reported, and statements that cannot come true draw a warning."""
    if not isinstance(data, dict):
        reporter(
            Problem(
                code="wrong-type",
                pointer="/inboxes",
                message=f"a map of clients and their messages is wanted here, not {describe(data)}",
                label="write `bob: [hello]`",
            )
        )
        return Inboxes()
    return _Table(scope, reporter).read(data)


class _Table:
    def __init__(self, scope: Scope, reporter: Reporter) -> None:
        self.scope = scope
        self.report = reporter
        self.whose: dict[str, str] = {}
        """Client -> the pointer of its entry."""
        self.incomplete: set[str] = set()
        """Entries of which it was said that something is missing."""
        self._certain: dict[str, set[str]] = {}
        """Room -> the messages that will certainly exist there."""
        self._by_user: dict[str, set[str]] = {}
        self._raced: dict[str, list[str]] = {}

    def read(self, data: Mapping[str, Any]) -> Inboxes:
        self.scope.step = 1 << 30  # after all steps
        entries: list[tuple[str, str, Any]] = []
        for name, value in data.items():
            pointer = f"/inboxes/{escape(name)}"
            if name != EVERYONE_ELSE:
                entries += [(client, pointer, value) for client in self._clients(name, pointer)]
        if EVERYONE_ELSE in data:
            rest = [name for name in self.scope.clients if name not in self.whose]
            pointer = f"/inboxes/{EVERYONE_ELSE}"
            self.scope.used |= {f"client {name}" for name in rest}
            entries += [(client, pointer, data[EVERYONE_ELSE]) for client in rest]
        found: list[Inbox] = []
        faulty: set[str] = set()
        for client, pointer, value in entries:
            if pointer in faulty:
                continue  # one entry for many clients: said once
            before = self.report.errors
            found += self._inbox(client, pointer, value)
            if self.report.errors > before:
                faulty.add(pointer)
        return Inboxes(tuple(found), tuple(client for client, _, _ in entries))

    def _clients(self, name: str, pointer: str) -> Iterable[str]:
        for client in self.scope.expand(name, pointer):
            if client in self.whose:
                self.report(
                    Problem(
                        code="listed-twice",
                        pointer=pointer,
                        message=f"{client} has two inboxes",
                        label="remove one",
                        on_key=True,
                        related=(Place(self.whose[client], "first here", on_key=True),),
                    )
                )
            elif self.scope.known_client(client, pointer, name, on_key=True):
                self.whose[client] = pointer
                yield client

    # -- one inbox -----------------------------------------------------------------------------------------

    def _inbox(self, client: str, pointer: str, value: object) -> list[Inbox]:
        rooms = self.scope.rooms_of(client)
        if isinstance(value, dict) and INTERLEAVED not in value:
            return self._by_room(client, pointer, value, rooms)
        items = read_inbox_items(value, pointer, self.scope, client)
        if items and len(rooms) > 1:
            example = f"`{{{rooms[0]}: […], {rooms[1]}: […]}}`"
            self.report(
                Problem(
                    code="flat-inbox",
                    pointer=pointer,
                    message=f"{client} is in several rooms ({listing(rooms)}), so one list has no order",
                    label=f"write {example}",
                )
            )
            return []
        # Items of rooms the client is not in get an inbox of their own: they fail there.
        by_room: dict[str, list[InboxItem]] = {room: [] for room in rooms}
        for item in items:
            by_room.setdefault(self.scope.messages[item.series[0][0]].room, []).append(item)
        return [self._made(client, room, pointer, entries) for room, entries in by_room.items()]

    def _by_room(
        self, client: str, pointer: str, value: Mapping[str, Any], rooms: tuple[str, ...]
    ) -> list[Inbox]:
        by_room: dict[str, tuple[str, list[InboxItem]]] = {room: (pointer, []) for room in rooms}
        for room, items in value.items():
            where = f"{pointer}/{escape(room)}"
            if room not in self.scope.rooms:
                if self.scope.rooms_known:
                    self.report(
                        Problem(
                            code="unknown-room",
                            pointer=where,
                            message=f"no room is called `{room[:70]}`",
                            label=did_you_mean(room, self.scope.rooms),
                            help=(f"rooms: {listing(self.scope.rooms)}",),
                            on_key=True,
                        )
                    )
                continue
            found = read_inbox_items(items, where, self.scope, client)
            for item in found:
                said = self.scope.messages[item.series[0][0]]
                if said.room != room:
                    self.report(
                        Problem(
                            code="contradiction",
                            pointer=item.pointer,
                            message=f"`{item.written}` is sent in {said.room}, not in {room}",
                            label=f"move it to `{said.room}`",
                            related=(Place(said.pointer, "sent here", on_key=True),),
                        )
                    )
            by_room[room] = (where, found)
        return [self._made(client, room, where, items) for room, (where, items) in by_room.items()]

    def _made(self, client: str, room: str, pointer: str, items: list[InboxItem]) -> Inbox:
        self._check(client, room, pointer, items)
        return Inbox(client=client, room=room, pointer=pointer, items=tuple(items))

    # -- what can never be true ----------------------------------------------------------------------------

    def _check(self, client: str, room: str, pointer: str, items: list[InboxItem]) -> None:
        scope = self.scope
        listed = {id_: item.pointer for item in items for series in item.series for id_ in series}
        for item in items:
            first = scope.messages[item.series[0][0]]
            if first.room != room:
                continue  # said already
            sent = Place(first.pointer, "sent here", on_key=True)
            name = item.written
            if first.impossible:
                scope.never_true(
                    item.pointer, f"`{name}` must be refused, so {client} cannot receive it", "", sent
                )
            elif scope.is_own(client, first):
                scope.never_true(
                    item.pointer,
                    f"{client} sent `{name}`, and nobody receives their own message",
                    "remove it",
                    sent,
                )
            elif (reach := scope.reach(client, first)) == "never":
                why = f"{client} is not in {room}, where `{name}` is sent"
                if scope.members.ever(scope.clients[client].user, room):
                    why = f"{client} was not in {room} when `{name}` could come"
                scope.never_true(item.pointer, why, "remove it", sent)
            elif reach == "may":
                self._race(client, name, first, item.pointer)
        if not scope.members.ever(scope.clients[client].user, room) or self.report.errors:
            return
        if pointer not in self.incomplete:
            missing = self._due(client, room).difference(listed)
            by_step: dict[str, list[Message]] = {}
            for message in scope.messages.values() if missing else ():
                if message.id in missing:
                    by_step.setdefault(message.pointer, []).append(message)
            for messages in by_step.values():
                self.incomplete.add(pointer)  # one entry for many clients: said of the first
                self._left_out(client, messages, pointer)
            for id_ in self._raced_by(client):
                message = scope.messages[id_]
                if (
                    message.room == room
                    and id_ not in listed
                    and not message.impossible
                    and scope.reach(client, message) == "may"
                ):
                    self._race(client, id_, message, pointer)

    def _due(self, client: str, room: str) -> set[str]:
        """Messages that a correct server brings to `client` in `room` by the end."""
        scope = self.scope
        if not self._certain:
            for message in scope.messages.values():
                if message.certain:
                    self._certain.setdefault(message.room, set()).add(message.id)
                    self._by_user.setdefault(scope.clients[message.sender].user, set()).add(message.id)
        due = self._certain.get(room, set())
        who = scope.clients[client]
        if client in scope.refused and client not in scope.online:
            return set()  # nobody brings it back to be read
        if not who.include_own:
            due = due - self._by_user.get(who.user, set())
        if room in scope.members.changed or who.stay_offline or scope.gone:
            due = {id_ for id_ in due if scope.reach(client, scope.messages[id_]) == "will"}
        return due

    def _raced_by(self, client: str) -> list[str]:
        """Messages that raced with a removal of this client."""
        if not self._raced:
            for racer, id_ in self.scope.raced:
                self._raced.setdefault(racer, []).append(id_)
        return self._raced.get(client, [])

    def _race(self, client: str, name: str, message: Message, pointer: str) -> None:
        scope = self.scope
        removal = scope.raced.get((client, message.id))
        if removal is None:
            return  # it is not certain for another reason: the client stays offline, or a step is faulty
        self.report(
            Problem(
                code="race",
                severity="warning",
                pointer=pointer,
                message=f"`{name}` may or may not reach {client} before the removal",
                label=f"`expect: {name}` before line {scope.line(removal)}",
                related=(Place(removal, "removed here", on_key=True),),
            )
        )

    def _left_out(self, client: str, messages: Sequence[Message], pointer: str) -> None:
        """Warn of messages of one step that will come and are not listed."""
        message = messages[0]
        sent = Place(message.pointer, "sent here", on_key=True)
        if message.id.startswith("@"):
            self.scope.never_true(
                pointer, f"{client} will receive a message that has no `id` and so cannot be listed",
                "give the send an `id`", sent,
            )  # fmt: skip
        else:
            several = listing(item.id for item in messages)
            series = f", or `{message.id.partition('.')[0]}.*` for the series" if len(messages) > 1 else ""
            self.scope.never_true(
                pointer,
                f"{client} is in {message.room} and will receive `{several}`, which "
                f"{'are' if len(messages) > 1 else 'is'} missing here",
                f"add `{several}`{series}",
                sent,
            )
