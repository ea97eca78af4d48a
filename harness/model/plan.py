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
from typing import Any

from harness.model.actions import Create, InboxItem, RotateKeys, Send
from harness.model.calls import CallFault
from harness.model.cast import Auth, Client, Room
from harness.model.disk import DiskFault
from harness.model.faults import SERVER, Kill, Restart
from harness.model.network import NetworkFault
from harness.model.span import Span
from harness.model.steps import ACTIONS, Lane, Step, When, walk
from harness.model.workload import Workload

PLAN_VERSION = 1


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
    auth: Auth | None = None
    """What the author says: `looks_at_tokens` is what the server does."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Settings of the server that is started for it, by name; values as the server reads them."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Bounds on how long deliveries take, ns, by the names of `latency.QUANTILES`."""
    limits_decide: bool = False
    """Whether the run fails when one is exceeded: `--limits enforce`."""
    required: tuple[str, ...] = ()
    """Invariants that may not end `not exercised`."""
    seed: int = 0
    workload: Workload | None = None
    """Traffic and trouble beside the script, drawn from the seed."""
    spans: Mapping[str, Span] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """What was said of the file when it was read, and stopped nothing: `line 18: ben is not in lobby, …`."""

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

    @property
    def length(self) -> int:
        """How many steps there are, those of lanes among them."""
        return sum(1 for _ in self.walk())

    def everything(self) -> Iterator[Step]:
        """Yield what the script and the workload do: each step as `walk` does, then each act and fault."""
        yield from self.walk()
        if self.workload is not None:
            yield from self.workload.steps()

    def line(self, pointer: str) -> int | None:
        """Return the line on which a pointer stands, or else what is around it; None when nothing is."""
        while pointer and pointer not in self.spans:
            pointer = pointer.rpartition("/")[0]
        return self.spans[pointer].line if pointer else None

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
    def looks_at_tokens(self) -> bool:
        """Whether the server is to look at tokens: it was said, or some are no good, or its keys change."""
        return (
            self.auth == "tokens"
            or any(client.token != "valid" for client in self.clients)  # noqa: S105 - the kind of one
            or any(isinstance(step.action, RotateKeys) for step in self.walk())
        )

    @property
    def moves_server(self) -> bool:
        """Whether somebody ends the server: it may then come back on any port."""
        return any(
            isinstance(step.action, Kill | Restart) and SERVER in step.action.targets
            for step in self.everything()
        )

    @property
    def troubles_network(self) -> bool:
        """Whether something is done to the network of clients: then each has a way of its own to the server."""
        return any(isinstance(step.action, NetworkFault | CallFault) for step in self.everything())

    @property
    def troubles_calls(self) -> bool:
        """Whether something is done to single calls."""
        return any(isinstance(step.action, CallFault) for step in self.everything())

    @property
    def troubles_disk(self) -> bool:
        """Whether the server at some time cannot write to files."""
        return any(isinstance(step.action, DiskFault) for step in self.everything())

    def to_json(self) -> dict[str, Any]:
        """Return the content of plan.json."""
        data = dataclasses.asdict(self)
        data["spans"] = {pointer: span.to_json() for pointer, span in self.spans.items()}
        return {"format": "chatsim.plan", "version": PLAN_VERSION, **data}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote. Raises ValueError for another format or version."""
        if data.get("format") != "chatsim.plan" or data.get("version") != PLAN_VERSION:
            msg = (
                f"not a plan of version {PLAN_VERSION}: {data.get('format')!r} version {data.get('version')!r}. "
                "Read it with the chatsim that wrote it"
            )
            raise ValueError(msg)
        fields = {key: value for key, value in data.items() if key not in ("format", "version")}
        fields["clients"] = tuple(
            Client(**{**item, "env": tuple((name, value) for name, value in item.get("env", ()))})
            for item in fields["clients"]
        )
        fields["rooms"] = tuple(
            Room(**{**item, **{key: tuple(item.get(key, ())) for key in ("members", "admins", "readers")}})
            for item in fields["rooms"]
        )
        fields["steps"] = tuple(_step(item) for item in fields["steps"])
        if (drawn := fields.get("workload")) is not None:
            fields["workload"] = _workload(drawn)
        fields["inboxes"] = tuple(_inbox(item) for item in fields["inboxes"])
        for key in ("tags", "listed", "required", "warnings"):
            fields[key] = tuple(fields.get(key, ()))
        fields["spans"] = {pointer: Span.from_json(span) for pointer, span in fields["spans"].items()}
        return cls(**fields)


def _workload(data: Mapping[str, Any]) -> Workload:
    steps = {key: tuple(_step(item) for item in data[key]) for key in ("acts", "faults")}
    return Workload(**{**data, **steps, "begin": _step(data["begin"]), "rooms": tuple(data["rooms"])})


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
    when = data.get("when")
    if when is not None:
        when = When(**{**when, "by": tuple(when["by"])})
    return Step(**{**data, "action": ACTIONS[action["verb"]](**action), "when": when})


def _inbox(data: Mapping[str, Any]) -> Inbox:
    return Inbox(**{**data, "items": tuple(_item(item) for item in data["items"])})


def _item(data: Mapping[str, Any]) -> InboxItem:
    series = tuple(tuple(ids) for ids in data["series"])
    return InboxItem(pointer=data["pointer"], written=data["written"], series=series)
