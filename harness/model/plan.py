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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.model.span import Span

PLAN_VERSION = 1

Receive = Literal["stream", "poll", "manual"]
Acks = Literal["auto", "manual"]
HistoryVisibility = Literal["since_join", "whole_room"]
Entry = Literal["invite", "open"]
Outcome = Literal["ok", "any", "none"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room that exists, with its members, before the first step."""

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
    """Let scenario time pass."""

    verb: Literal["wait"] = "wait"
    duration_ns: int


Action = Connect | Disconnect | Send | Expect | Wait
ACTIONS: Mapping[str, type[Action]] = {
    "connect": Connect,
    "disconnect": Disconnect,
    "send": Send,
    "expect": Expect,
    "wait": Wait,
}


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
        """Return the room of this name; KeyError when there is none."""
        for room in self.rooms:
            if room.name == name:
                return room
        raise KeyError(name)

    def sends(self) -> Iterator[tuple[Step, Send]]:
        """Yield every sending step, in file order."""
        for step in self.steps:
            if isinstance(step.action, Send):
                yield step, step.action

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
        fields["clients"] = tuple(Client(**item) for item in fields["clients"])
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


def _step(data: Mapping[str, Any]) -> Step:
    action: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data["action"].items()
    }
    return Step(**{**data, "action": ACTIONS[action["verb"]](**action)})


def _inbox(data: Mapping[str, Any]) -> Inbox:
    items = tuple(
        InboxItem(
            pointer=item["pointer"],
            written=item["written"],
            series=tuple(tuple(ids) for ids in item["series"]),
        )
        for item in data["items"]
    )
    return Inbox(**{**data, "items": items})
