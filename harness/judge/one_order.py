"""one-order: a room has one order, and everybody sees it, without holes.

| kind | violated when |
|---|---|
| sequence-conflict | one sequence, two messages; or one message, two sequences as told to different parties |
| stored-twice | one message at two sequences in one reader's or the audit's view |
| gap | within one reader's stream a sequence is passed over that must hold something visible to it: not its own sends (an open send of its own may fill *one* hole, unless somebody shows whose it is), not membership entries, nothing before its resume point, nothing at or below a declared `lost_through_sequence` |
| batch-order | sequences fall within one frame, poll or claim |
| order-back | a stream goes back without redelivery being legal |
| two-orders | two readers saw two messages of a room in opposite orders (also without sequences) |
| sender-order | same user and room, m2's *first* try was invoked after m1 was acknowledged or followed m1 in one batch stream, and seq2 < seq1; open sends are exempt |
| real-time-order | opt-in: any send2 invoked after send1 was acknowledged, seq2 < seq1 |

A passed-over sequence convicts only when somebody shows what it holds: its sender's answer, another reader, or
the audit. A process is one stream: it hands each message over once, over all its reconnects. So what comes
late to it went back, what never comes to it is a gap, and what comes twice is the business of no-duplicate.
"""  # noqa: E501  the table is kept as it is published

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.messages import NEVER, Message
from harness.judge.orders import Chain, contradictions
from harness.judge.readers import Leg, Reader, Shelf
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import FAMILIES, Verdict


class Back(NamedTuple):
    """A delivery below one before it in the same leg."""

    message: Message
    before: Message
    before_at: int
    at: int
    client: str
    leg: Leg
    frame: bool
    polled: bool
    via: int | None


class OneOrder(Family):
    """Watches for sequences that fall; at the end compares all that was told of a room's order."""

    name: ClassVar[str] = "one-order"
    wants = frozenset({"deliver"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._occasions = dict.fromkeys(FAMILIES[self.name], 0)
        self._sequenced = 0
        self._backs: list[Back] = []
        self._doubtful: dict[str, None] = {}
        """Rooms in which first deliveries were not in the order of sequences, had none, or had others."""

    def step(self, state: State, op: Op) -> None:
        """Note a fall."""
        now = state.now
        if not now.regular:
            return
        self._judged += 1
        if now.sequence is not None:
            self._sequenced += 1
        if now.first:
            if now.sequence is None or now.sequence < now.shelf.peak or now.sequence != now.message.sequence:
                self._doubtful[now.message.room] = None
            else:
                now.shelf.peak = now.sequence
        if now.before_of is not None and not now.repeated:
            carrier = state.carriers.get(now.via) if now.via is not None else None
            polled = carrier is not None and carrier[1] == "poll"
            back = Back(
                now.message,
                now.before_of,
                now.before_at,
                op.index,
                now.client.name,
                now.leg,
                now.frame,
                polled,
                now.via,
            )
            self._backs.append(back)

    def finish(self, state: State) -> Verdict:
        """Compare everything."""
        self._falls(state)
        for room, said in state.messages.by_room.items():
            self._sequences(room, said)
            self._sent(said, kind="sender-order")
            if "real-time-order" in state.plan.required:
                self._sent(said, kind="real-time-order")
            self._gaps(state, room, said)
        ordered = not state.lacks("order")
        for room in self._doubtful:
            self._opposite(state, room)
        self._occasions["batch-order"] = self._occasions["order-back"] = self._sequenced
        self._occasions["two-orders"] = self._judged if ordered else 0
        if "real-time-order" not in state.plan.required:
            del self._occasions["real-time-order"]
        no_order = not ordered and not any(
            message.sequence is not None for message in state.messages.all.values()
        )
        return self.verdict(
            self._judged,
            idle="nothing was delivered to a member",
            lacking="order" if no_order else None,
            occasions=self._occasions,
        )

    def _falls(self, state: State) -> None:
        for back in self._backs:
            closed = next((at for _, _, at in back.leg.claims if at > back.at), -1)
            framed = back.frame and (back.polled or closed >= 0)
            carrier = state.carriers.get(back.via, (-1, ""))[0] if back.via is not None else -1
            where = "in one answer" if framed else "in one stream"
            self.found.add(
                "batch-order" if framed else "order-back",
                f"{{who}} got `{back.message.name}` ({back.message.sequence}) after `{back.before.name}` "
                f"({back.before.sequence}) {where}",
                proof(back.before_at, back.at, *((carrier if back.polled else closed,) if framed else ())),
                (back.message, back.before),
                who=back.client,
            )

    def _sequences(self, room: str, said: list[Message]) -> None:
        """One sequence, one message, and the other way round."""
        holder: dict[int, tuple[Message, int, str]] = {}
        for message in said:
            if message.sequence is None:
                continue
            self._occasions["sequence-conflict"] += 1
            self._occasions["stored-twice"] += 1
            self._one_sequence(message)
            told = [
                (message.sequence_by, message.sequence, message.sequence_at, -1),
                *(message.sequences or ()),
            ]
            for party, sequence, index, _ in told:
                other = holder.setdefault(sequence, (message, index, party))
                if other[0] is not message:
                    self.found.add(
                        "sequence-conflict",
                        f"in {room}, {sequence} is `{other[0].name}` to {other[2]} and `{message.name}` to {party}",
                        proof(other[1], index),
                        (other[0], message),
                    )

    def _one_sequence(self, message: Message) -> None:
        if message.sequences is None or message.sequence is None:
            return
        party, sequence, index, _ = message.sequences[0]
        first_told = {message.sequence_by: (message.sequence, message.sequence_at)}
        for who, told, at, prior in message.sequences:
            before = first_told.setdefault(who, (message.sequence, prior) if prior >= 0 else (told, at))
            if before[0] != told:
                self.found.add(
                    "stored-twice",
                    f"`{message.name}` is in {message.room} twice, at {before[0]} and at {told}: "
                    f"{who} was told both",
                    proof(before[1], at, message.first_invoke),
                    (message,),
                    who=who,
                    hint="A retry was stored again: the server does not recognise the client message id.",
                )
                return
        self.found.add(
            "sequence-conflict",
            f"`{message.name}` is {message.sequence} to {message.sequence_by} and {sequence} to {party}",
            proof(message.sequence_at, index),
            (message,),
        )

    def _sent(self, said: list[Message], *, kind: str) -> None:
        """Compare the order of sending with that of sequences, among acknowledged messages."""
        sent = [message for message in said if message.acknowledged and message.sequence is not None]
        answered = sorted(sent, key=lambda message: message.acked_at)
        for group in _by_sender(sent, answered) if kind == "sender-order" else [(sent, answered)]:
            done, highest = 0, None
            for message in group[0]:
                while done < len(group[1]) and group[1][done].acked_at < message.first_invoke:
                    candidate = group[1][done]
                    if highest is None or _sequence(candidate) > _sequence(highest):
                        highest = candidate
                    done += 1
                self._occasions[kind] += highest is not None
                if highest is not None and _sequence(message) < _sequence(highest):
                    self.found.add(
                        kind,
                        f"`{message.name}` was sent after `{highest.name}` was acknowledged, "
                        f"but stands before it in {message.room}: {message.sequence} < {highest.sequence}",
                        proof(
                            highest.acked_at,
                            message.acked_at,
                            highest.sequence_at,
                            message.sequence_at,
                            message.first_invoke,
                        ),
                        (message, highest),
                    )

    def _gaps(self, state: State, room: str, said: list[Message]) -> None:
        known = sorted(
            (
                message
                for message in said
                if message.sequence is not None
                and message.sequences is None
                and message.exists_at != NEVER
                and not state.lost_in_store(message)
            ),
            key=_sequence,
        )
        if not known:
            return
        at = [_sequence(message) for message in known]
        for reader in state.readers_of(room):
            shelf = reader.shelves.get(room)
            if shelf is None:
                continue
            for leg in shelf.legs:
                low, high = bisect_right(at, leg.start), bisect_right(at, leg.frontier)
                if leg.stay is not None and low < high:
                    self._occasions["gap"] += high - low
                    self._passed_over(reader, shelf, leg, known[low:high])

    def _passed_over(self, reader: Reader, shelf: Shelf, leg: Leg, messages: Iterable[Message]) -> None:
        stay = leg.stay
        assert stay is not None
        for message in messages:
            if (
                shelf.had(leg.process, message)
                or message.sender == reader.user
                or shelf.lost.excuses(message)
            ):
                continue
            passed = leg.passed(_sequence(message), message.first_invoke)
            if len(reader.clients) > 1 and _seen_to(shelf, message, passed):
                continue
            if passed is not None and stay.shows(_sequence(message)):
                self.found.add(
                    "gap",
                    f"{{who}} read {message.room} through {leg.frontier}, past `{message.name}` "
                    f"({message.sequence}), without getting it",
                    proof(message.sequence_at, passed, message.exists_at, message.first_invoke),
                    (message,),
                    beside=(leg.highest_of,),
                    who=reader.name,
                )

    def _opposite(self, state: State, room: str) -> None:
        chains: list[Chain] = []
        for reader in state.readers_of(room):
            stays = state.members.stays(reader.user, room)
            for client in reader.clients:  # two on one cursor share what comes, each in order
                if state.lacks("order", client.name):
                    continue
                inbox = client.inbox(room)
                order = [
                    message
                    for message in inbox
                    if message.tries
                    and message.first_invoke < inbox[message]  # else it was a phantom, and had no place yet
                    and (reader.include_own or message.sender != reader.user)
                    and any(not stay.hides(message, message.sequence) for stay in stays)
                ]
                chains.append(Chain(client.name, order, inbox))
        for steps in contradictions(chains):
            one = steps[0]
            ops = sorted(
                index for step in steps for index in (step.chain.at[step.before], step.chain.at[step.after])
            )
            if len(steps) == 2:
                others = f"{steps[1].chain.reader} the other way round"
            else:  # of these, no two suffice, so that their proof is longer than others
                others = ", ".join(
                    f"{each.chain.reader} `{each.before.name}` before `{each.after.name}`"
                    for each in steps[1:]
                )
            for step in steps:
                self.found.add(
                    "two-orders",
                    f"{one.chain.reader} got `{one.before.name}` before `{one.after.name}`, {others}",
                    tuple(ops),
                    tuple(dict.fromkeys(message for step in steps for message in (step.before, step.after))),
                    who=step.chain.reader,
                )


def _seen_to(shelf: Shelf, message: Message, passed: int | None) -> bool:
    """Whether of several clients on one cursor another one got the message, or had acknowledged it before.

    What one of them acknowledged before another was read past it is due to neither any more.
    """
    if message in shelf.first:
        return True
    acked = shelf.acknowledged_at(_sequence(message))
    return acked is not None and passed is not None and acked < passed


def _sequence(message: Message) -> int:
    assert message.sequence is not None
    return message.sequence


def _by_sender(sent: list[Message], answered: list[Message]) -> list[tuple[list[Message], list[Message]]]:
    groups: dict[str, tuple[list[Message], list[Message]]] = {}
    for message in sent:
        groups.setdefault(message.sender, ([], []))[0].append(message)
    for message in answered:
        groups[message.sender][1].append(message)
    return list(groups.values())
