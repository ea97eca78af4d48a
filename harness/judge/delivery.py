"""Facts about one sighting: the delivery under judgement, and a reading of a whole room."""

from __future__ import annotations

from harness.judge.members import BEFORE_ALL, Stay
from harness.judge.messages import NEVER, Message
from harness.judge.readers import Client, Leg, Process, Reader, Shelf


class Delivery:
    """The delivery under judgement, and what was so before it."""

    __slots__ = (
        "before_at",
        "before_of",
        "client",
        "existed_at",
        "first",
        "frame",
        "index",
        "leg",
        "message",
        "own",
        "prior",
        "process",
        "reader",
        "regular",
        "repeated",
        "sequence",
        "shelf",
        "stay",
        "time",
        "via",
    )
    index: int
    time: int
    message: Message
    reader: Reader
    process: Process
    client: Client
    shelf: Shelf
    leg: Leg
    stay: Stay | None
    sequence: int | None
    via: int | None
    first: bool
    """The reader got it for the first time."""
    prior: int
    """Index of the delivery before, -1 if first."""
    repeated: bool
    """This very process had got it already."""
    own: bool
    """Its reader's own user sent it."""
    regular: bool
    """It was tried, its reader surely was a member who may see it, and wants it if it is own: judge its order."""
    existed_at: int
    """Since when the message was known to exist, before this delivery."""
    before_of: Message | None
    """What stood highest in the leg before it; None if nothing with a sequence above its own."""
    before_at: int
    frame: bool
    """Nothing was claimed between it and the delivery before, which came by the same connect or poll."""


class Audit:
    """One reading of a whole room by the harness."""

    __slots__ = (
        "bound",
        "bound_at",
        "highest",
        "highest_at",
        "index",
        "invoked",
        "positions",
        "room",
        "seen",
    )

    def __init__(self, room: str, invoked: int, positions: frozenset[str]) -> None:
        self.room = room
        self.invoked = invoked
        self.positions = positions
        self.bound = -1
        self.bound_at = -1
        """The answer of the write that `bound` comes from."""
        self.index = NEVER
        """Its answer; NEVER until it ended ok."""
        self.highest = BEFORE_ALL
        self.highest_at = -1
        self.seen: set[Message] = set()

    def covers(self, message: Message) -> bool:
        """Whether a message that exists must be in it."""
        if self.index == NEVER:
            return False
        if message.exists_at < self.bound or (
            message.position is not None and message.position in self.positions
        ):
            return True
        return message.sequence is not None and message.sequence < self.highest

    def rests_on(self, message: Message) -> int:
        """Return the op that makes it cover this message, beside itself and the message's own; -1 if none does."""
        if message.position is not None and message.position in self.positions:
            return -1
        return self.bound_at if message.exists_at < self.bound else self.highest_at

    def lacks(self, message: Message) -> bool:
        """Whether a message that exists must be in it, and is not."""
        return message not in self.seen and self.covers(message)
