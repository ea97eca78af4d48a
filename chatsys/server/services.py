"""What the services share: the store, the hub, the reading side, the limits, and a few helpers over them."""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from chatsys.core import check, position, rules
from chatsys.core.entry import LogEntry
from chatsys.core.model import Room
from chatsys.core.outcome import Outcome
from chatsys.errors import Refusal
from chatsys.server.call import Call
from chatsys.server.hub import Hub
from chatsys.server.limits import Guard
from chatsys.server.reading import Consumer, Reading
from chatsys.server.settings import Limits
from chatsys.store import Place, Reads, SqliteStore
from chatsys.v1.chat_pb2 import Ack

Kind = TypeVar("Kind", bound=tuple[object, ...])

MAX_POSITION_WAIT = 30.0
"""Seconds that a call without a deadline waits for its positions."""


class House(NamedTuple):
    """Everything a service works with."""

    store: SqliteStore
    hub: Hub
    reading: Reading
    limits: Limits
    instance_id: str
    guard: Guard

    async def ask(self, entry: LogEntry, expected: type[Kind]) -> Kind:
        """Has one entry decided and made durable.

        Raises:
            Refusal: What was decided against it, a limit, or STORE_UNAVAILABLE.
        """
        with self.guard.changing(self.store.reads, entry):
            (outcome,) = await self.store.submit((entry,))
        return sure(outcome, expected)

    def now(self) -> str:
        """The position of what was published last."""
        return position.encode(self.store.epoch, self.hub.position)

    def needed(self, tokens: Sequence[str]) -> int:
        """The number of entries that ``min_positions`` ask for."""
        return position.required(list(tokens), self.store.epoch) if tokens else 0

    async def reach(self, tokens: Sequence[str], call: Call) -> None:
        """Waits until all ``min_positions`` are included."""
        if tokens:
            await self.hub.reached(self.needed(tokens), call.until(MAX_POSITION_WAIT))

    def claim(self, consumer: Consumer, applied: int) -> str:
        """The position that an answer to a reader claims."""
        return position.encode(self.store.epoch, self.reading.position(consumer, applied))

    def place_of(self, reads: Reads, consumer: Consumer, room_id: str) -> Place:
        """The place of a member.

        Raises:
            Refusal: NOT_A_MEMBER.
        """
        place = self.reading.place(reads, consumer, room_id)
        if place is None or place.end_sequence:
            raise Refusal.not_a_member(room_id)
        return place

    @staticmethod
    def room_of(reads: Reads, call: Call, room_id: str) -> tuple[int, Room]:
        """A room that the caller may see, with its number.

        Raises:
            Refusal: NOT_A_MEMBER.
        """
        found = reads.room(room_id)
        if found is None:
            raise Refusal.not_a_member(room_id)
        if not call.caller.admin:
            membership = reads.membership(found[0], room_id, call.user_id)
            if membership is None or not membership.current:
                raise rules.outside(found[1], membership)
        elif found[1].deleted:
            raise Refusal.room_deleted(room_id)
        return found


def sure(outcome: Outcome, expected: type[Kind]) -> Kind:
    """The outcome if it is none of refusal.

    Raises:
        Refusal: It was one.
    """
    if isinstance(outcome, Refusal):
        raise outcome
    assert isinstance(outcome, expected), f"{type(outcome).__name__} where {expected.__name__} was due"
    return outcome


class Marks(NamedTuple):
    """What repeated Ack says, checked."""

    read: tuple[tuple[str, int], ...]
    """(room id, sequence), each room once."""
    ended: tuple[tuple[str, int], ...]
    """(room id, sequence at which a membership ended) of some of these rooms."""


def marks(acks: Iterable[Ack], field: str) -> Marks:
    """Checks repeated Ack.

    Raises:
        Refusal: A room is no room id or named twice, or a sequence is negative.
    """
    named = tuple(acks)
    read = check.acks(((ack.room_id, ack.sequence) for ack in named), field)
    for index, ack in enumerate(named):
        check.sequence(ack.ended_sequence, f"{field}[{index}].ended_sequence")
    return Marks(read, tuple((ack.room_id, ack.ended_sequence) for ack in named if ack.ended_sequence))


def clock_us() -> int:
    """The server's clock, for people to read."""
    return time.time_ns() // 1_000


def timestamp(time_us: int) -> Timestamp:
    """A time as the contract has it."""
    seconds, rest = divmod(time_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000)
