"""What will be done: a scenario with every name expanded, every default filled in, every duration in ns.

A plan is what the source room makes, the run plays, the judge judges against, and `plan.json` keeps.
It is complete: whoever has a plan needs the scenario file no more (its text is inside, for the reports).

Invariants:
* Names in a plan are those of the author. User ids and room ids on a server are made from them by the run.
* `pointer` is a JSON pointer into the scenario (`/steps/2`, `/steps/2/received_by/0`); `Plan.spans` tells
  where each stands in `Plan.source`. The pointer of a step itself is placed at its verb.
* Every message has an id: the author's (`hello`, `line.3` in a series) or `@12`, `@12.3` for a send without
  one, where 12 is its line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.model.span import Span

PLAN_VERSION = 1

#: What faults call the system under test.
SERVER = "server"

Receive = Literal["stream", "poll", "manual"]
Acks = Literal["auto", "manual"]
HistoryVisibility = Literal["since_join", "whole_room"]
Entry = Literal["invite", "open"]
Outcome = Literal["ok", "any", "none"]
Token = Literal["valid", "missing", "forged", "expired", "revoked", "other_audience", "literal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One user on one device, played by one process."""

    name: str
    user: str
    """Whose device it is; rooms list users. Equal to `name` unless the author said otherwise."""
    display_name: str
    receive: Receive = "stream"
    receive_given: bool = False
    """Whether the author wrote `receive`; a driver that cannot stream polls for those of whom nothing is said."""
    acks: Acks = "auto"
    include_own: bool = False
    consumer: str = ""
    window: int | None = None
    """After so many unacknowledged messages it wants no more; None leaves it to the server."""
    handles_per_s: float | None = None
    """A slow reader's pace: so many messages are handed over and acknowledged a second; None is no limit."""
    stay_offline: bool = False
    """Offline at the end, it is not brought back to be read: its record is judged as it is."""
    token: Token = "valid"  # noqa: S105 - the kind of one
    """The kind of token it shows."""
    token_text: str | None = None
    """The token itself when its kind is `literal`."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment of its process, beside what it inherits."""
    command: str | None = None
    """A driver command of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room, as it is made: before the first step, or by a `create` step."""

    name: str
    members: tuple[str, ...]
    """Users, admins included."""
    admins: tuple[str, ...] = ()
    history: HistoryVisibility = "since_join"
    entry: Entry = "invite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Bring clients online; done when all are ready."""

    verb: Literal["connect"] = "connect"
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """Take clients offline; their processes live on."""

    verb: Literal["disconnect"] = "disconnect"
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Make a room; its maker is a member and an admin of it."""

    verb: Literal["create"] = "create"
    by: str
    """A client."""
    room: str
    members: tuple[str, ...] = ()
    """Users, its maker's among them."""
    admins: tuple[str, ...] = ()
    """Users, its maker's among them."""
    history: HistoryVisibility = "since_join"
    entry: Entry = "invite"

    def made(self) -> Room:
        """Return the room that comes of it."""
        return Room(
            name=self.room, members=self.members, admins=self.admins, history=self.history, entry=self.entry
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Enter a room; done when all are in."""

    verb: Literal["join"] = "join"
    who: tuple[str, ...]
    """Clients."""
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Leave a room; done when all are out."""

    verb: Literal["leave"] = "leave"
    who: tuple[str, ...]
    """Clients."""
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Take others into a room."""

    verb: Literal["add"] = "add"
    users: tuple[str, ...]
    room: str
    by: str
    """A client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kick:
    """Put others out of a room."""

    verb: Literal["kick"] = "kick"
    users: tuple[str, ...]
    room: str
    by: str
    """A client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one message, or a series when `repeat` is set; done when the last one is answered."""

    verb: Literal["send"] = "send"
    senders: tuple[str, ...]
    """Clients. Almost always one; several send at once, each its own message: then ids are `id.NAME[.n]`."""
    room: str
    text: str
    """As written; `${n}` stands for the number in the series."""
    id: str
    """The author's id, or `@LINE`."""
    outcome: Outcome = "ok"
    repeat: int | None = None
    every_ns: int = 0

    def messages(self) -> Iterator[tuple[str, str, str]]:
        """Yield (sender, message id, text) of each message, in the order of sending."""
        for number in range(1, (self.repeat or 1) + 1):
            for sender in self.senders:
                parts = [self.id]
                if len(self.senders) > 1:
                    parts.append(sender)
                if self.repeat is not None:
                    parts.append(str(number))
                yield sender, ".".join(parts), self.text.replace("${n}", str(number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Send messages again, each by its sender and under its client message id; at once."""

    verb: Literal["resend"] = "resend"
    ids: tuple[str, ...]
    """Message ids; a series stands here expanded."""
    senders: tuple[str, ...]
    """The client who sent each of `ids`."""
    written: str
    """What the author wrote after `resend:`, for sentences."""
    outcome: Outcome = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Read once, without waiting for anything new; done when caught up with all that was answered before."""

    verb: Literal["poll"] = "poll"
    who: tuple[str, ...]
    """Clients that receive by hand."""
    gets: tuple[InboxItem, ...] | None = None
    """Exactly what the poll of each of them must bring, in order; None says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Acknowledge by hand what was received."""

    verb: Literal["ack"] = "ack"
    who: tuple[str, ...]
    """Clients."""
    through: str | None = None
    """The message up to which, in its room; None is everything received so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """Say who must, and who must not, have received messages; done when fulfilled or overdue."""

    verb: Literal["expect"] = "expect"
    ids: tuple[str, ...]
    """Message ids; a series `line.*` stands here expanded, in order."""
    written: str
    """What the author wrote after `expect:`, for sentences."""
    received_by: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let scenario time pass, or wait until a fault is over."""

    verb: Literal["wait"] = "wait"
    duration_ns: int
    fault: str | None = None
    """The id of the fault whose end is awaited; then `duration_ns` is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """End processes by a signal; done when they have ended."""

    verb: Literal["kill"] = "kill"
    targets: tuple[str, ...]
    """Clients and `server`."""
    id: str
    """The author's id, or `@LINE`."""
    signal: str = "SIGKILL"
    for_ns: int | None = None
    """After which they are started again; None: not before a step does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start processes that were killed, the server first; clients come back connected."""

    verb: Literal["start"] = "start"
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """End processes as one ends them in ordinary life, and start them again, the server first."""

    verb: Literal["restart"] = "restart"
    targets: tuple[str, ...]
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Freeze processes; done when they stand still."""

    verb: Literal["pause"] = "pause"
    targets: tuple[str, ...]
    id: str
    for_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Thaw processes; done when they run again."""

    verb: Literal["resume"] = "resume"
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Steps that follow one another, beside those of other lanes."""

    name: str
    pointer: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Play lanes at the same time; done when all are."""

    verb: Literal["parallel"] = "parallel"
    lanes: tuple[Lane, ...]


Action = (
    Connect
    | Disconnect
    | Create
    | Join
    | Leave
    | Add
    | Kick
    | Send
    | Resend
    | Poll
    | Ack
    | Expect
    | Wait
    | Parallel
    | Kill
    | Start
    | Restart
    | Pause
    | Resume
)
ACTIONS: Mapping[str, type[Action]] = {
    "connect": Connect,
    "disconnect": Disconnect,
    "create": Create,
    "join": Join,
    "leave": Leave,
    "add": Add,
    "kick": Kick,
    "send": Send,
    "resend": Resend,
    "poll": Poll,
    "ack": Ack,
    "expect": Expect,
    "wait": Wait,
    "kill": Kill,
    "start": Start,
    "restart": Restart,
    "pause": Pause,
    "resume": Resume,
    "parallel": Parallel,
}
#: Acts on processes: their names are `targets`, which may hold `server`.
ProcessFault = Kill | Start | Restart | Pause | Resume


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the script: an action and the modifiers that any verb may have."""

    pointer: str
    action: Action
    after_ns: int = 0
    """Pause before the step, scenario time."""
    at_ns: int | None = None
    """Not before this moment on the clock of the enclosing block."""
    within_ns: int
    """Deadline of the step, real time, its default filled in."""
    within_given: bool = False
    """Whether the author wrote `within`: then a `not_by` that has no fence waits that long."""
    refused: str | None = None
    """The gRPC status name with which the step must fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One entry of an inbox: a message, a series in order, or several series merged in any way."""

    pointer: str
    written: str
    series: tuple[tuple[str, ...], ...]
    """One inner tuple of message ids: a single message or a series. Several: `interleaved`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What one client must have received in one room by the end, first deliveries in order."""

    client: str
    room: str
    pointer: str
    items: tuple[InboxItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scenario row, ready to be played."""

    title: str
    name: str
    """Short name for lists and folders: the file's stem, with the matrix row if any: `moderation[poll]`."""
    file: str
    """The scenario file as named on the command line."""
    source: str
    """The file's whole text."""
    description: str = ""
    tags: tuple[str, ...] = ()
    clients: tuple[Client, ...]
    rooms: tuple[Room, ...]
    steps: tuple[Step, ...]
    inboxes: tuple[Inbox, ...] = ()
    """Judged inboxes. A client that is in the file's `inboxes` has one entry a room it could hear."""
    listed: tuple[str, ...] = ()
    """Clients that `inboxes` names, in file order. One with `[]` and no room has no `Inbox` entry, and must hear
    nothing at all."""
    listen_ns: int = 0
    """How long clients go on recording after the last fence; real time."""
    required: tuple[str, ...] = ()
    """Invariants that may not end `not exercised`."""
    seed: int = 0
    spans: Mapping[str, Span] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        """Return the client of this name; KeyError when there is none."""
        for client in self.clients:
            if client.name == name:
                return client
        raise KeyError(name)

    def room(self, name: str) -> Room:
        """Return the room of this name, made before the script or in it; KeyError when there is none."""
        for room in (*self.rooms, *self.created()):
            if room.name == name:
                return room
        raise KeyError(name)

    def walk(self) -> Iterator[Step]:
        """Yield every step, those of lanes after the `parallel` that holds them, in file order."""
        return walk(self.steps)

    def created(self) -> Iterator[Room]:
        """Yield the rooms that `create` steps make, in file order."""
        for step in self.walk():
            if isinstance(step.action, Create) and step.refused is None:
                yield step.action.made()

    def room_names(self) -> tuple[str, ...]:
        """Return the names of all rooms that `rooms` and steps speak of, each once."""
        asked = (step.action.room for step in self.walk() if isinstance(step.action, Create))
        return tuple(dict.fromkeys((*(room.name for room in self.rooms), *asked)))

    def sends(self) -> Iterator[tuple[Step, Send]]:
        """Yield every sending step, in file order."""
        for step in self.walk():
            if isinstance(step.action, Send):
                yield step, step.action

    @property
    def moves_server(self) -> bool:
        """Whether the script ends the server: it may then come back on any port."""
        return any(
            isinstance(step.action, Kill | Restart) and SERVER in step.action.targets for step in self.walk()
        )

    def to_json(self) -> dict[str, Any]:
        """Return the content of plan.json."""
        data = dataclasses.asdict(self)
        data["spans"] = {pointer: span.to_json() for pointer, span in self.spans.items()}
        return {"format": "chatsim.plan", "version": PLAN_VERSION, **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote. Raises ValueError for another format or version."""
        if data.get("format") != "chatsim.plan" or data.get("version") != PLAN_VERSION:
            msg = f"not a plan of version {PLAN_VERSION}: {data.get('format')!r} version {data.get('version')!r}"
            raise ValueError(msg)
        fields = {key: value for key, value in data.items() if key not in ("format", "version")}
        fields["clients"] = tuple(
            Client(**{**item, "env": tuple((name, value) for name, value in item.get("env", ()))})
            for item in fields["clients"]
        )
        fields["rooms"] = tuple(
            Room(**{**item, "members": tuple(item["members"]), "admins": tuple(item["admins"])})
            for item in fields["rooms"]
        )
        fields["steps"] = tuple(_step(item) for item in fields["steps"])
        fields["inboxes"] = tuple(_inbox(item) for item in fields["inboxes"])
        for key in ("tags", "listed", "required"):
            fields[key] = tuple(fields[key])
        fields["spans"] = {pointer: Span.from_json(span) for pointer, span in fields["spans"].items()}
        return cls(**fields)


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield these steps, and behind each `parallel` those of its lanes, in file order."""
    for step in steps:
        yield step
        if isinstance(step.action, Parallel):
            for lane in step.action.lanes:
                yield from walk(lane.steps)


def _step(data: Mapping[str, Any]) -> Step:
    action: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data["action"].items()
    }
    if "lanes" in action:
        action["lanes"] = tuple(
            Lane(**{**lane, "steps": tuple(_step(item) for item in lane["steps"])})
            for lane in action["lanes"]
        )
    if action.get("gets") is not None:
        action["gets"] = tuple(_item(item) for item in action["gets"])
    return Step(**{**data, "action": ACTIONS[action["verb"]](**action)})


def _inbox(data: Mapping[str, Any]) -> Inbox:
    return Inbox(**{**data, "items": tuple(_item(item) for item in data["items"])})


def _item(data: Mapping[str, Any]) -> InboxItem:
    series = tuple(tuple(ids) for ids in data["series"])
    return InboxItem(pointer=data["pointer"], written=data["written"], series=series)
