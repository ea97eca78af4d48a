"""What is known while a script is read top to bottom: the cast, rooms, who is online, which messages were sent.

A verb asks the scope for names and ids, and tells it what its step changes. Every question is answered with
values or with a reported problem, never with an exception. Where an earlier fault makes the answer doubtful, the
scope stays silent, so that one fault does not draw ten more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.model.actions import Send
from harness.model.cast import Client, Room
from harness.model.span import Span
from harness.model.steps import Step
from harness.verbs.declared import Fault, Message, Series, not_a_user
from harness.verbs.kinds import Item
from harness.verbs.memberships import Memberships, Reach
from harness.verbs.phrases import listing
from harness.verbs.problem import Place, Problem, did_you_mean

_RANGE = re.compile(r"(.*?)([0-9]{1,6})\.\.([0-9]{1,6})\Z", re.DOTALL)
MAX_RANGE = 10_000


@dataclass(slots=True)
class Scope:
    """The state of the script at one step, and the ear that takes problems."""

    clients: Mapping[str, Client]
    rooms: dict[str, Room]
    """Rooms that exist at this step."""
    place: Callable[[str], Span]
    """Where a pointer stands in the file."""
    report: Callable[[Problem], None]
    declared: Mapping[str, int] = field(default_factory=dict)
    """Ids as written in all steps, broken ones too -> the number of the first step that gives it."""
    room_names: Mapping[str, int] = field(default_factory=dict)
    """Rooms that `create` steps name, broken ones too -> the number of the first such step."""
    ids_known: bool = True
    """False when there is no list of steps: then no id is called unknown."""
    ambiguous: Collection[str] = ()
    """Ids that several steps give: which message is meant is anybody's guess."""
    cast_known: bool = True
    """False when `clients` had faults: then nobody is called unknown."""
    rooms_known: bool = True
    presence_known: bool = True
    """False once a step that might have brought somebody online could not be read."""
    pointers: Sequence[str] = ()
    """Every step's pointer in file order, those of lanes too; a step's number is its place here."""
    read_lane: Callable[[list[object], Scope, str], tuple[Step, ...]] | None = None
    """Reads the steps of a lane: (as written, the lane's own scope, pointer)."""
    members_known: bool = True
    """False once a step that might have changed who is in which room could not be read; and in a lane, when
    another lane changes it."""
    unsettled: bool = False
    """Whether it is only another lane that makes `members_known` False."""
    seed: int = 0
    """Draws whom a fault strikes."""
    step: int = 0
    """The number of the step that is being read."""
    online: dict[str, int] = field(default_factory=dict)
    """Clients that are online now -> the step that brought them."""
    left: dict[str, int] = field(default_factory=dict)
    """Clients that went offline -> the step of it."""
    refused: set[str] = field(default_factory=set)
    """Clients whose connect must be refused."""
    unsure: set[str] = field(default_factory=set)
    """Those who may be up or down here: another lane moves them, or a fault ends by itself at some time."""
    moved: frozenset[str] = frozenset()
    """Of these, the ones that only another lane makes unsure."""
    dead: dict[str, int] = field(default_factory=dict)
    """Clients and `server` that were killed -> the step of it."""
    frozen: dict[str, int] = field(default_factory=dict)
    """Clients and `server` that stand still -> the step of it."""
    unserved: set[int] = field(default_factory=set)
    """Steps that took the server down, of which it was said that a later send goes unanswered."""
    faults: dict[str, Fault] = field(default_factory=dict)
    """Faults that have begun, by id."""
    messages: dict[str, Message] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    """Ids as written -> the pointer of the step that gives it."""
    series: dict[str, Series] = field(default_factory=dict)
    received: dict[tuple[str, str], str] = field(default_factory=dict)
    """(client, message) that an `expect` demands -> its pointer."""
    spots: dict[str, str] = field(default_factory=dict)
    """`/steps/3/received_by/7`, an entry of a list in the plan -> the pointer of what the author wrote for it."""
    polled: dict[str, int] = field(default_factory=dict)
    """Clients that read by hand -> their latest `poll` step."""
    perhaps_read: set[tuple[str, str]] = field(default_factory=set)
    """(client, message) of which nobody can say whether a poll brought it: sent in one lane, polled in another."""
    raced: dict[tuple[str, str], str] = field(default_factory=dict)
    """(client, message) that may or may not have come before the client was removed -> the step of the removal."""
    gone: set[str] = field(default_factory=set)
    """Messages that the server keeps no more: who was not told of them before may never be."""
    members: Memberships = field(init=False)
    used: set[str] = field(default_factory=set)
    """Clients and rooms that the file makes use of, as `client NAME` and `room NAME`."""

    def __post_init__(self) -> None:
        self.members = Memberships.of(self.rooms)

    # -- names ---------------------------------------------------------------------------------------------

    def names(self, items: Sequence[Item], pointer: str) -> list[tuple[str, str]]:
        """Expand ranges and check clients.

        Returns:
            Each client once, with the pointer of the entry that names it.
        """
        found: dict[str, str] = {}
        for item in items:
            where = pointer + item.at
            for name in self.expand(item.text, where):
                if name in found:
                    self.twice(name, where, found[name])
                    break  # one sentence for a whole range
                if not self.known_client(name, where, item.text):
                    break
                found[name] = where
        self.spots.update({f"{pointer}/{index}": where for index, where in enumerate(found.values())})
        return list(found.items())

    def expand(self, text: str, pointer: str) -> Iterator[str]:
        """Yield the names of a range `user-1..30`, or the name itself."""
        match = _RANGE.match(text)
        if match is None:
            yield text
            return
        prefix, first, last = match[1], int(match[2]), int(match[3])
        if last < first or last - first >= MAX_RANGE:
            self.report(
                Problem(
                    code="bad-range",
                    pointer=pointer,
                    message=f"the range `{text}` is {'empty' if last < first else 'too long'}",
                    label=f"did you mean `{prefix}{last}..{first}`?"
                    if last < first
                    else f"{MAX_RANGE:,} names at most",
                )
            )
            return
        for number in range(first, last + 1):
            yield f"{prefix}{number}"

    def spread(self, text: str) -> list[str]:
        """Return the names of a range, or the name itself; of a wrong range nothing, without a word."""
        return list(replace(self, report=lambda _: None).expand(text, ""))

    def known_client(self, name: str, pointer: str, written: str, *, on_key: bool = False) -> bool:
        """Check one client; an unknown one is reported unless the cast itself was faulty."""
        if name in self.clients:
            self.used.add(f"client {name}")
            return True
        if self.cast_known:
            several = re.split(r"\s*,\s*|\s+and\s+|\s+", written.strip())
            if len(several) > 1 and all(part in self.clients for part in several):
                label = f"several names are a list: `[{', '.join(several)}]`"
            else:
                label = did_you_mean(name, self.clients)
            message = f"no client is called `{name[:70]}`"
            if name != written:
                message += f", which `{written}` contains"
            devices = [client.name for client in self.clients.values() if client.user == name]
            if devices:
                message = (
                    f"a client is wanted here, and `{name}` is a user, with the devices {listing(devices)}"
                )
                every = f"[{', '.join(devices)}]"
                label = f"write {listing(f'`{device}`' for device in devices) if on_key else f'`{every}`'}"
            self.report(
                Problem(
                    code="unknown-client",
                    pointer=pointer,
                    message=message,
                    label=label,
                    help=(f"clients: {listing(self.clients)}",),
                    on_key=on_key,
                )
            )
        return False

    def users(self, items: Sequence[Item], pointer: str) -> list[tuple[str, str]]:
        """Expand ranges and check users, whom rooms list; as `names` does for clients."""
        devices: dict[str, list[str]] = {}
        for client in self.clients.values():
            devices.setdefault(client.user, []).append(client.name)
        found: dict[str, str] = {}
        for item in items:
            where = pointer + item.at
            for name in self.expand(item.text, where):
                if name in found:
                    self.twice(name, where, found[name])
                    break
                if name not in devices:
                    if name in self.clients and self.cast_known:
                        self.report(not_a_user(self.clients[name], where))
                    else:
                        self.known_client(name, where, item.text)
                    break
                self.used |= {f"client {client}" for client in devices[name]}
                found[name] = where
        self.spots.update({f"{pointer}/{index}": where for index, where in enumerate(found.values())})
        return list(found.items())

    def actor(self, written: str, pointer: str) -> str | None:
        """Return the one client who acts, or None when there is none of this name."""
        return written if written and self.known_client(written, pointer, written) else None

    def room_of(self, written: str | None, pointer: str, key: str = "to") -> str | None:
        """Return the room a step speaks of: the one written, or the only one there is.

        Args:
            written: what stands under `key`, if anything.
            pointer: of the step.
            key: under which the step names its room.
        """
        if written is not None:
            if written in self.rooms:
                self.used.add(f"room {written}")
                return written
            if self.rooms_known:
                self._unknown_room(written, f"{pointer}/{key}")
            return None
        all_names = self.rooms.keys() | self.room_names.keys()
        if len(all_names) == 1 and self.rooms:
            (only,) = self.rooms
            self.used.add(f"room {only}")
            return only
        if self.rooms_known:
            if len(all_names) == 1:
                (only,) = all_names
                made = self.pointers[self.room_names[only]]
                message, label = "there is no room yet", f"`{only}` is made on line {self.line(made)}"
            elif all_names:
                several = listing(dict.fromkeys((*self.rooms, *self.room_names)))
                what = "to which room?" if key == "to" else "in which room?"
                message, label = what, f"add `{key}:` with one of {several}"
            else:
                message, label = "there is no room to send to", "add `rooms:` with a room and its members"
                if key != "to":
                    message = "there is no room"
            self.report(
                Problem(code="which-room", pointer=pointer, message=message, label=label, on_key=True)
            )
        return None

    def is_offline(self, client: str) -> bool:
        """Whether `client` surely is not online at this step."""
        return client not in self.online and client not in self.unsure and self.presence_known

    def _unknown_room(self, written: str, pointer: str) -> None:
        if written in self.room_names:
            made = self.pointers[self.room_names[written]]
            self.report(
                Problem(
                    code="unknown-room",
                    pointer=pointer,
                    message=f"the room `{written}` does not exist before line {self.line(made)}",
                    label="create it before this step",
                    related=(Place(made, "made here", on_key=True),),
                )
            )
            return
        known = (f"rooms: {listing(self.rooms)}",) if self.rooms else ("this scenario has no `rooms`",)
        self.report(
            Problem(
                code="unknown-room",
                pointer=pointer,
                message=f"no room is called `{written[:70]}`",
                label=did_you_mean(written, self.rooms),
                help=known,
            )
        )

    def is_member(self, client: str, room: str) -> bool:
        """Whether the user of `client` is in `room` at this step."""
        return self.members.now(self.clients[client].user, room)

    def rooms_of(self, client: str) -> tuple[str, ...]:
        """Rooms whose messages `client` may hear, or might have heard before."""
        user = self.clients[client].user
        return tuple(room for room in self.rooms if self.members.ever(user, room))

    def reach(self, client: str, message: Message) -> Reach:
        """Say whether `message`, which is not its own, comes to `client` by the end, as things stand now."""
        if not self.members_known:
            return "may"
        key = (client, message.id)
        who = self.clients[client]
        reach = self.members.reach(
            who.user, message.room, message.step, got=key in self.received, raced=key in self.raced
        )
        away = who.stay_offline and client not in self.online
        if reach == "will" and key not in self.received and (away or message.id in self.gone):
            return "may"
        return reach

    def is_own(self, client: str, message: Message) -> bool:
        """Whether `message` is by the user of `client`, who does not receive his own."""
        mine = self.clients[client]
        return mine.user == self.clients[message.sender].user and not mine.include_own

    # -- messages ------------------------------------------------------------------------------------------

    def sent(self, action: Send, pointer: str, *, refused: bool) -> None:
        """Take note of the messages of one send step."""
        by_sender: dict[str, list[str]] = {}
        for sender, id_, _text in action.messages():
            by_sender.setdefault(sender, []).append(id_)
            self.messages[id_] = Message(
                id_,
                sender,
                action.room,
                self.step,
                pointer,
                certain=not refused and action.outcome == "ok",
                impossible=refused or action.outcome == "none",
            )
        self.bases[action.id] = pointer
        if action.repeat is not None or len(action.senders) > 1:
            self.series[action.id] = Series({name: tuple(ids) for name, ids in by_sender.items()})

    # -- coming and going in rooms -------------------------------------------------------------------------

    def removed(self, users: Sequence[str], room: str, pointer: str) -> None:
        """Take note that users are no members any more, and of what this races with."""
        gone = {user for user in users if self.members.now(user, room)}
        for client in self.clients.values():
            if client.user not in gone:
                continue
            for message in self.messages.values():
                key = (client.name, message.id)
                if (
                    message.room == room
                    and key not in self.received
                    and not self.is_own(client.name, message)
                ):
                    self._race(client, message, pointer)
        self.members.end(users, room, self.step)

    def _race(self, client: Client, message: Message, pointer: str) -> None:
        if client.receive == "manual":
            if self.polled.get(client.name, -1) > message.step:
                self.received[client.name, message.id] = self.pointers[self.polled[client.name]]
        elif client.name in self.online or self.left.get(client.name, -1) > message.step:
            self.raced.setdefault((client.name, message.id), pointer)

    # -- problems shared by verbs --------------------------------------------------------------------------

    def never_true(self, pointer: str, message: str, label: str = "", *related: Place) -> None:
        """Warn of a statement that no correct server can fulfil: it is played, and fails."""
        self.report(
            Problem(
                code="never-true",
                severity="warning",
                pointer=pointer,
                message=message,
                label=label,
                related=related,
            )
        )

    @property
    def states(self) -> tuple[dict[str, int], ...]:
        """Who is in which state, since which step: online, dead, frozen."""
        return self.online, self.dead, self.frozen

    def line(self, pointer: str) -> int:
        """Return the line on which a pointer stands."""
        return self.place(pointer).line

    def twice(self, name: str, pointer: str, first: str) -> None:
        """Report a name that stands in one list twice."""
        related = () if first == pointer else (Place(first, "first here"),)
        self.report(
            Problem(
                code="listed-twice",
                pointer=pointer,
                message=f"`{name}` stands here twice",
                label="remove one",
                related=related,
            )
        )
