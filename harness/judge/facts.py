"""The facts of a history as they stand: every check asks here, and only `state` writes."""

from __future__ import annotations

from collections.abc import Iterable

from harness.judge.assumptions import Assumptions
from harness.judge.delivery import Audit, Delivery
from harness.judge.heads import Heads
from harness.judge.members import BEFORE_ALL, Members
from harness.judge.messages import NEVER, Message, Messages
from harness.judge.readers import Client, Declared, Leg, Process, Reader, Shelf
from harness.model.history import FENCE, HARNESS, NEMESIS, SCRIPT, SERVER, Op
from harness.model.plan import Plan

SENTINEL_SENDERS = frozenset({FENCE, HARNESS})
"""Users that are no client of a plan; what they send counts in no inbox and no expectation."""
NOT_CLIENTS = frozenset({SERVER, HARNESS, FENCE, SCRIPT, NEMESIS})

_ENDED_BY = {
    "start": ("kill", "restart", "pause"),
    "restart": ("kill", "restart", "pause"),
    "resume": ("pause",),
}


class Fault:
    """A scripted fault on one target."""

    __slots__ = ("f", "id", "pointer", "since", "target", "until")

    def __init__(
        self, f: str, target: str, since: int, id_: object = None, pointer: str | None = None
    ) -> None:
        self.f = f
        self.id = id_
        self.pointer = pointer
        """YAML place of the step that caused it."""
        self.target = target
        self.since = since
        """Index of its invocation."""
        self.until = NEVER
        """Index of the answer of what ended it."""

    def ended_by(self, op: Op) -> bool:
        """Whether this act of the nemesis on its target ends it."""
        if op.f in _ENDED_BY:
            return self.f in _ENDED_BY[op.f]
        ids = op.value.get("ids") if op.f == "heal" else [op.value.get("id")]
        return not isinstance(ids, (list, tuple)) or self.id in ids


class Facts:
    """Everything known after the operations observed so far."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.assumptions = Assumptions()
        self.messages = Messages()
        self.members = Members()
        self.readers: dict[tuple[str, str], Reader] = {}
        self.clients: dict[str, Client] = {}
        self.processes: dict[str, Process] = {}
        self.now = Delivery()
        self.size = 0
        self.deliveries = 0
        self.said: dict[str, frozenset[str]] = {}
        """What each driver said the server can do, by client; a driver that said nothing is not in it."""
        self.heads = Heads()
        self.audits: dict[int, Audit] = {}
        """By `op`."""
        self.audits_of: dict[str, list[Audit]] = {}
        """By room."""
        self.carriers: dict[int, tuple[int, str]] = {}
        """(index of the invocation, connect or poll), by `op`: what `via` names."""
        self.disturbed_at = -1
        """The latest server exit or start, or act of the nemesis that is not on certain clients alone."""
        self.kept: dict[str, list[Op]] = {}
        """Operations of steps that a check asked to keep, by pointer."""
        self.exits: list[Op] = []
        self.starts: list[Op] = []
        self.lives: list[Op] = []
        """Operations of `script` about the script itself, `leftovers` and `holds`."""
        self.final_at = -1
        """When the final phase began; -1 before."""
        self.left_alone = {client.name for client in plan.clients if client.stay_offline}
        """Clients that are not brought back at the end: they stay offline, or were refused as scripted."""
        self.refusals = {step.pointer for step in plan.walk() if step.refused is not None}
        """Pointers of steps that must be refused."""
        self.faults: list[Fault] = []
        """Scripted faults, in the order in which they began."""
        self._active: dict[str, list[Fault]] = {}
        """Faults that are not over, by target."""
        self.lost: dict[str, Declared] = {}
        """What the server declared lost to retention, to whomever, by room. That excuses the store; a reader is
        excused from what was declared to that reader: `Shelf.lost`."""
        self._answers: dict[str, tuple[int, int]] = {}
        """By position: (invocation, answer) of the last-invoked write that was answered with it."""
        self._users: dict[str, list[Reader]] = {}
        for client in plan.clients:
            reader = self._client(
                client.name, client.user, client.consumer, include_own=client.include_own
            ).reader
            reader.polled = reader.polled or client.receive != "stream"
        for room in plan.rooms:
            self.members.making(room.name, room.members, room.history, -1)
            self.members.made(room.name, room.members, -1)

    def keep(self, pointer: str) -> None:
        """Keep the operations of this step for the end."""
        self.kept.setdefault(pointer, [])

    def lacks(self, capability: str, client: str | None = None) -> bool:
        """Whether the driver of a client said what the server can do, and this is not in it.

        Args:
            capability: as in a driver's hello.
            client: whose driver; None asks whether all that said anything said so.
        """
        if client is not None:
            return client in self.said and capability not in self.said[client]
        return bool(self.said) and not any(capability in said for said in self.said.values())

    def can(self, capability: str) -> bool:
        """Whether a driver said that the server can do this."""
        return any(capability in said for said in self.said.values())

    def answered_with(self, position: str, invoked: int, index: int) -> None:
        """A write was answered with this position."""
        if invoked > self._answers.get(position, (-1, -1))[0]:
            self._answers[position] = (invoked, index)

    def bound(self, positions: Iterable[str]) -> tuple[int, int]:
        """Return (invocation, answer) of the last-invoked write that was answered with one of these positions."""
        return max((self._answers.get(position, (-1, -1)) for position in positions), default=(-1, -1))

    def sentinel(self, message: Message) -> bool:
        """Whether it is one the harness sends as a marker."""
        return message.sender in SENTINEL_SENDERS

    def sequence(self, op: Op, name: str = "sequence") -> int | None:
        """Return the sequence that an operation names, None when it names none; one below 0 is not believed."""
        value = op.value.get(name)
        if type(value) is not int:
            return None
        if value < 0:
            self.assumptions.complain(f"operation {op.index}: `{name}` is {value}, and sequences begin at 0")
            return None
        return value

    def lost_in_store(self, message: Message) -> bool:
        """Whether an audit that was fenced past the message does not show it."""
        return any(audit.lacks(message) for audit in self.audits_of.get(message.room, ()))

    def readers_of(self, room: str) -> list[Reader]:
        """Return the readers whose user ever may have been a member of the room."""
        return [
            reader
            for user in sorted(self.members.users.get(room, ()))
            for reader in self._users.get(user, ())
        ]

    def readers_of_user(self, user: str) -> list[Reader]:
        """Return the readers of a user."""
        return self._users.get(user, [])

    def _client(self, name: str, user: str, consumer: str = "", *, include_own: bool = False) -> Client:
        reader = self.readers.get((user, consumer))
        if reader is None:
            reader = self.readers[user, consumer] = Reader(name, user, include_own=include_own)
            self._users.setdefault(user, []).append(reader)
        client = self.clients[name] = Client(name, reader)
        reader.clients.append(client)
        return client

    def process(self, name: str, index: int) -> Process:
        """Return the incarnation of this name; one that nobody named before is a client of its own."""
        process = self.processes.get(name)
        if process is None:
            known = name.partition("#")[0]
            client = self.clients.get(known) or self._client(known, known)
            process = self.processes[name] = Process(name, client, index)
        return process

    def leg(self, process: Process, shelf: Shelf, index: int) -> Leg:
        """Return the leg that this process is on in this room."""
        stay = self.members.latest(process.reader.user, shelf.room)
        if stay is not None and not stay.certain(index):
            stay = None
        leg = shelf.running.get(process.name)
        if leg is None or leg.stay is not stay:
            if leg is not None and leg.stay is not None:
                start = max(leg.frontier, shelf.high)
            elif self.lacks("ack", process.client.name):
                start = max((other.frontier for other in shelf.legs), default=BEFORE_ALL)
            else:
                start = shelf.high
            if stay is not None and not stay.whole_room:
                start = max(start, BEFORE_ALL if stay.join_sequence is None else stay.join_sequence)
            leg = shelf.running[process.name] = Leg(process, stay, start)
            shelf.legs.append(leg)
        return leg


def texts(value: object) -> list[str]:
    """Return the texts of a list; nothing when it is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []
