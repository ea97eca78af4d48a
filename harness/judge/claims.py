"""claims: when the server says that it has told everything, it has.

| kind | violated when |
|---|---|
| false-claim | a frame claimed completeness through N (or a fence at P), and a message at or below it, existing then, reached that party *for the first time* later (visible to it or not; unless it became visible only by a join after the claim), or was visible and never came. A claim over one's own messages is true |
| position-back | a later read that asked for a position in min_positions (the library always does) included less, or within one stream a claim fell below an earlier one |
| epoch-change | a new epoch that no scripted wipe or restore caused |

A fence covers a message if it was acknowledged with one of the fence's positions, or existed before the
invocation of a write that was answered with one of them. A message that an audit shows to be lost was not
there to be told: that is `lost` alone. Positions are opaque, so epochs are compared as drivers report them.
"""  # noqa: E501  the table is kept as it is published

from __future__ import annotations

from typing import ClassVar

from harness.judge.delivery import Delivery
from harness.judge.evidence import claim_over
from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.members import Stay
from harness.judge.messages import NEVER, Message
from harness.judge.readers import Reader
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class Claims(Family):
    """Compares each first delivery with the claims before it, and at the end the claims with what never came."""

    name: ClassVar[str] = "claims"
    wants = frozenset({"deliver", "claim", "connect", "wipe", "restore"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._known_epoch: tuple[str, int] | None = None
        """The epoch of the log as last told, and the op that told it."""

    def step(self, state: State, op: Op) -> None:
        """Look at a first delivery, or at a claim that may have fallen."""
        if op.f == "deliver":
            now = state.now
            if now.first and not now.own and now.message.tries:
                self._late(state, now)
        elif op.f == "claim":
            self._judged += 1
            self._fallen(state, op)
        elif op.f == "connect" and op.type == "ok":
            self._epoch(op)
        elif op.f in ("wipe", "restore"):
            self._known_epoch = None

    def finish(self, state: State) -> Verdict:
        """Look for what was claimed and never came."""
        for room, said in state.messages.by_room.items():
            declared = state.declared_lost(room)
            readers = [reader for reader in state.readers_of(room) if reader.shelves or reader.fences]
            for message in said:
                if message.exists_at == NEVER or state.lost_in_store(message):
                    continue
                if message.sequence is not None and message.sequence <= declared:
                    continue
                for reader in readers:
                    shelf = reader.shelves.get(room)
                    if reader.user != message.sender and (shelf is None or message not in shelf.first):
                        self._never_came(state, reader, message)
        fences = sum(
            fence.grade == "position" for reader in state.readers.values() for fence in reader.fences
        )
        judged = self._judged + fences
        return self.verdict(
            judged,
            idle="the server claimed nothing",
            lacking="position" if state.lacks("position") and not judged else None,
        )

    def _epoch(self, op: Op) -> None:
        epoch = op.value.get("epoch")
        if not isinstance(epoch, str):
            return
        if self._known_epoch is not None and self._known_epoch[0] != epoch:
            self.found.add(
                "epoch-change",
                f"{op.client} found a log of epoch {epoch}, where it had been {self._known_epoch[0]}, "
                "and no step of the script wiped or restored it",
                proof(self._known_epoch[1], op.index),
                who=op.client,
                hint="The log was lost, or came back from an older copy.",
            )
        self._known_epoch = (epoch, op.index)

    def _late(self, state: State, now: Delivery) -> None:
        message = now.message
        since = -1
        stay = state.members.latest(now.reader.user, message.room)
        if stay is not None and not stay.hides(message, now.sequence):
            since = stay.possible_from  # before that, it was not visible
        claimed: int | None = None
        if now.sequence is not None:
            for leg in now.shelf.legs:
                at = leg.claimed(now.sequence)
                if at is not None and at > since and message.first_invoke < at:
                    claimed = at
                    break
        if claimed is None:
            fence = now.reader.by_position(message, now.existed_at, since)
            if fence is None:
                return
            claimed = fence.index
        self.found.add(
            "false-claim",
            f"{{who}} had been told that nothing up to then was missing, and got `{message.name}` afterwards",
            proof(message.first_invoke, message.acked_at, claimed, now.index),
            (message,),
            who=now.client.name,
            hint="The server said that its answer was complete before it was.",
        )

    def _never_came(self, state: State, reader: Reader, message: Message) -> None:
        for stay in state.members.stays(reader.user, message.room):
            claimed = _claimed(reader, message, stay)
            if claimed is not None:
                self.found.add(
                    "false-claim",
                    f"{{who}} had been told that nothing was missing, but `{message.name}` never came",
                    proof(message.first_invoke, message.acked_at, message.seen_at, claimed),
                    (message,),
                    who=reader.name,
                    hint="The server counted it as handed over, and it was not.",
                )
                return

    def _fallen(self, state: State, op: Op) -> None:
        process = state.process(op.process, op.index)
        through, room = op.value.get("through"), op.value.get("room")
        via = op.value.get("via")
        carrier = state.carriers.get(via) if isinstance(via, int) else None
        if not isinstance(through, int) or not isinstance(room, str) or (carrier and carrier[1] == "poll"):
            return
        leg = process.reader.shelf(room).running.get(process.name)
        if leg is None or not leg.throughs or leg.throughs[-1] <= through:
            return
        highest_at = leg.claims[-1][2]
        if highest_at > process.connection_at:
            self.found.add(
                "position-back",
                f"{{who}} was told that {room} was complete through {leg.throughs[-1]}, then only through {through}",
                proof(highest_at, op.index),
                who=process.client.name,
            )


def _claimed(reader: Reader, message: Message, stay: Stay) -> int | None:
    """Return the op index of a claim, made to a member who could see the message, that covers it."""
    sequence = message.sequence
    visible = (
        stay.shows(sequence) if sequence is not None else stay.spans(message.first_invoke, message.acked_at)
    )
    if not visible:
        return None
    at = claim_over(reader.shelves.get(message.room), message, stay)
    if at is not None and message.first_invoke < at:
        return at
    if stay.spans(message.first_invoke, message.exists_at) or stay.whole_room:
        fence = reader.by_position(message, message.exists_at, stay.possible_from, stay.certain_until)
        return fence.index if fence is not None else None
    return None
