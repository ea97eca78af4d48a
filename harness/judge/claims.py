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

from typing import ClassVar, NamedTuple

from harness.judge.delivery import Delivery
from harness.judge.evidence import claim_over
from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.members import Stay
from harness.judge.messages import NEVER, Message, integer, text_of
from harness.judge.readers import Reader
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class Early(NamedTuple):
    """A first delivery from before its sender was answered, so that its position was not known then."""

    message: Message
    reader: Reader
    client: str
    sequence: int | None
    at: int


class Told(NamedTuple):
    """A claim or fence that covers a message."""

    at: int
    """Its op index."""
    beside: int = -1
    """Another op that it rests on, see `Fence.rests_on`."""


class Claims(Family):
    """Compares each first delivery with the claims before it, and at the end the claims with what never came."""

    name: ClassVar[str] = "claims"
    wants = frozenset({"deliver", "claim", "connect", "poll", "wipe", "restore"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._compared = 0
        self._epochs = 0
        self._early: list[Early] = []
        self._known_epoch: tuple[str, int] | None = None
        """The epoch of the log as last told, and the op that told it."""
        self._polling: dict[int, dict[str, tuple[int, int]]] = {}
        """How far each room is complete by the polls under way, and the claim that says so, by `op`."""
        self._polled: dict[tuple[str, str], tuple[int, int, int]] = {}
        """How far a room was complete by the polls of a process that were caught up: (through, claim, answer)."""

    def step(self, state: State, op: Op) -> None:
        """Look at a first delivery, or at a claim that may have fallen."""
        if op.f == "deliver":
            now = state.now
            if now.first and not now.own and now.message.tries:
                self._late(state, now)
        elif op.f == "claim":
            self._judged += 1
            self._fallen(state, op)
        elif op.f == "poll":
            self._answered(op)
        elif op.f == "connect" and op.type == "ok":
            self._epoch(op)
        elif op.f in ("wipe", "restore"):
            self._known_epoch = None
            self._polled.clear()

    def finish(self, state: State) -> Verdict:
        """Look for what was claimed and never came."""
        for early in self._early:
            if early.message.position is not None:
                told = _told_position(state, early.reader, early.message, early.sequence, NEVER, early.at)
                if told is not None:
                    self._untrue(early.message, early.client, told, early.at)
        for room, said in state.messages.by_room.items():
            readers = [reader for reader in state.readers_of(room) if reader.shelves or reader.fences]
            for message in said:
                if message.exists_at == NEVER or state.lost_in_store(message):
                    continue
                for reader in readers:
                    shelf = reader.shelves.get(room)
                    if shelf is not None and (message in shelf.first or shelf.lost.excuses(message)):
                        continue
                    if reader.user != message.sender:
                        self._never_came(state, reader, message)
        fences = sum(
            fence.grade == "position" for reader in state.readers.values() for fence in reader.fences
        )
        judged = self._judged + fences
        return self.verdict(
            judged,
            idle="the server claimed nothing",
            lacking="position" if state.lacks("position") and not judged else None,
            occasions={
                "false-claim": judged,
                "position-back": self._compared,
                "epoch-change": self._epochs,
            },
        )

    def _epoch(self, op: Op) -> None:
        epoch = op.value.get("epoch")
        if not isinstance(epoch, str):
            return
        self._epochs += self._known_epoch is not None
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
        message, reader = now.message, now.reader
        claimed = _told_complete(state, now)
        if claimed is None and reader.fences:  # only what was before this delivery can convict it
            claimed = _told_position(state, reader, message, now.sequence, now.existed_at, now.index)
            if claimed is None and not message.acknowledged:
                self._early.append(Early(message, reader, now.client.name, now.sequence, now.index))
        if claimed is not None:
            self._untrue(message, now.client.name, claimed, now.index)

    def _untrue(self, message: Message, client: str, claimed: Told, at: int) -> None:
        self.found.add(
            "false-claim",
            f"{{who}} had been told that nothing up to then was missing, and got `{message.name}` afterwards",
            proof(at, claimed.at, claimed.beside, message.exists_at, message.first_invoke),
            (message,),
            who=client,
            hint="The server said that its answer was complete before it was.",
        )

    def _never_came(self, state: State, reader: Reader, message: Message) -> None:
        for stay in state.members.stays(reader.user, message.room):
            claimed = _claimed(reader, message, stay)
            if claimed is not None:
                self.found.add(
                    "false-claim",
                    f"{{who}} had been told that nothing was missing, but `{message.name}` never came",
                    proof(
                        claimed.at,
                        message.exists_at,
                        claimed.beside,
                        message.sequence_at,
                        message.first_invoke,
                    ),
                    (message,),
                    who=reader.name,
                    hint="The server counted it as handed over, and it was not.",
                )
                return

    def _fallen(self, state: State, op: Op) -> None:
        process = state.process(op.process, op.index)
        through, room = integer(op.value.get("through")), text_of(op.value.get("room"))
        if through is None or room is None:
            return
        via = integer(op.value.get("via"))
        if via is not None and state.carriers.get(via, (-1, ""))[1] == "poll":
            told = self._polling.setdefault(via, {})
            told[room] = max((through, op.index), told.get(room, (through, op.index)))
            return
        leg = process.reader.shelf(room).running.get(process.name)
        self._compared += 1
        if leg is None or not leg.throughs or leg.throughs[-1] <= through:
            return
        highest_at = leg.claims[-1][2]
        if highest_at >= process.connection_at:
            self.found.add(
                "position-back",
                f"{{who}} was told that {room} was complete through {leg.throughs[-1]}, then only through {through}",
                proof(highest_at, op.index),
                who=process.client.name,
            )

    def _answered(self, op: Op) -> None:
        """A poll that is caught up includes what an earlier one of this process included."""
        told = self._polling.pop(op.op, {}) if op.op is not None and op.type != "invoke" else {}
        if op.type != "ok" or op.value.get("caught_up") is not True:
            return
        for room, (through, claim) in told.items():
            before = self._polled.get((op.process, room))
            self._compared += before is not None
            if before is not None and through < before[0]:
                self.found.add(
                    "position-back",
                    f"{{who}} was told that {room} was complete through {before[0]}, then only through {through}",
                    proof(before[1], before[2], claim, op.index),
                    who=op.client,
                )
            elif before is None or through > before[0]:
                self._polled[op.process, room] = (through, claim, op.index)


def _visible(state: State, user: str, message: Message, sequence: int | None) -> tuple[list[Stay], int]:
    """Return the stays that show the message, and when the last of them began.

    What was claimed to one who was no member, before the join that made the message visible, does not count.
    """
    stays = [stay for stay in state.members.stays(user, message.room) if not stay.hides(message, sequence)]
    return stays, stays[-1].possible_from if stays else -1


def _told_complete(state: State, now: Delivery) -> Told | None:
    """Return a claim over the message from before this delivery."""
    if now.sequence is None or now.sequence > now.shelf.claimed:
        return None
    message = now.message
    visible, joined = _visible(state, now.reader.user, message, now.sequence)
    for leg in now.shelf.legs:
        since = message.first_invoke if leg.stay in visible else max(joined, message.first_invoke)
        if (at := leg.claimed(now.sequence, since)) is not None:
            return Told(at)
    return None


def _told_position(
    state: State, reader: Reader, message: Message, sequence: int | None, existed_at: int, until: int
) -> Told | None:
    """Return a fence over the message from before this moment."""
    visible, joined = _visible(state, reader.user, message, sequence)
    spans = [
        (joined, until, visible[-1].surely_shown(message) if visible else -1),
        *(
            (stay.possible_from, min(stay.certain_until, until), stay.surely_shown(message))
            for stay in visible[:-1]
        ),
    ]
    fences = (reader.by_position(message, existed_at, *span) for span in spans)
    return next((Told(fence.index, fence.rests_on(message)) for fence in fences if fence is not None), None)


def _passed_before(reader: Reader, message: Message, stay: Stay) -> bool:
    """Whether the reader had, or may have, acknowledged beyond the message before it joined again."""
    shelf = reader.shelves.get(message.room)
    if shelf is None or message.sequence is None or stay.possible_from < 0:
        return False
    starts = [leg.start for leg in shelf.legs if leg.stay is stay]
    return min(starts, default=shelf.low(stay.certain_from)) >= message.sequence


def _claimed(reader: Reader, message: Message, stay: Stay) -> Told | None:
    """Return a claim, made to a member who could see the message, that covers it."""
    if stay.certain_from == NEVER:
        return None  # nobody knows whether that join was done
    sequence = message.sequence
    visible = (
        stay.shows(sequence) if sequence is not None else stay.spans(message.first_invoke, message.acked_at)
    )
    if not visible:
        return None
    at = claim_over(reader.shelves.get(message.room), message, stay)
    if at is not None:
        return Told(at)
    if _passed_before(reader, message, stay):
        return None  # reading began beyond it
    if stay.spans(message.first_invoke, message.exists_at) or stay.whole_room:
        begun = stay.surely_shown(message)
        fence = reader.by_position(message, message.exists_at, stay.possible_from, stay.certain_until, begun)
        return Told(fence.index, fence.rests_on(message)) if fence is not None else None
    return None
