"""no-loss: what was acknowledged is there, and everybody who should get it does.

| kind | violated when |
|---|---|
| lost | acknowledged (or seen by anybody), and absent from an audit read that was fenced past it. Without an audit: acknowledged, some reader other than its sender to whom it was visible was read past it (fence, claim or ack at or beyond it), and nobody ever got it |
| undelivered | it exists in the audit or somebody got it, its whole send lies in certain(u,g), u is not its sender, it is visible to u, and u was read past it without it |

What the server declared lost to retention is not `lost`, and not `undelivered` to those it told so;
a sentinel that does not come is a missing fence. A member that was online and was not read past a message it has
not got makes the verdict unknown: this needs a marker, a position, a claim or an ack.
"""  # noqa: E501  the table is kept as it is published

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from harness.judge.delivery import Audit
from harness.judge.evidence import NOT_CONNECTED, Shown, no_evidence, read_past
from harness.judge.family import Family
from harness.judge.findings import people, proof
from harness.judge.members import Stay
from harness.judge.messages import NEVER, Message
from harness.judge.readers import Reader
from harness.judge.state import State
from harness.model.history import SERVER
from harness.model.verdict import Verdict


class NoLoss(Family):
    """Judges at the end, message by message."""

    name: ClassVar[str] = "no-loss"

    def __init__(self) -> None:
        super().__init__()
        self._evidence = no_evidence()
        self._judged = 0
        self._stored = 0
        self._existing: dict[str, Counter[str]] = {}
        """How many messages of whom surely exist, by room."""
        self._handed = 0
        self._unread: dict[str, Message] = {}
        """Clients that were not read past something: the first such message."""
        self._unaudited: dict[str, Message] = {}
        """Rooms whose audit is missing, or not fenced past something."""

    def finish(self, state: State) -> Verdict:
        """Judge every message that surely exists."""
        for room, said in state.messages.by_room.items():
            readers = [
                reader for reader in state.readers_of(room) if not self._idle(state, reader, room, said)
            ]
            declared = state.lost.get(room)
            for message in said:
                if message.exists_at == NEVER or state.sentinel(message):
                    continue
                retired = declared is not None and declared.excuses(message)
                self._message(state, message, readers, state.audits_of.get(room, []), retired=retired)
        return self.verdict(
            self._judged,
            idle="no message was acknowledged that anybody else should get, and no room was audited",
            unknown=self._unknown(),
            evidence=self._evidence,
            occasions={"lost": self._stored, "undelivered": self._handed},
        )

    def _idle(self, state: State, reader: Reader, room: str, said: list[Message]) -> bool:
        """Whether a reader never was online, nor told anything: what was said is counted for them all at once.

        Else a hall of members who never come would cost as much as one of members who read everything.
        """
        if (
            reader.shelves
            or reader.fences
            or any(client.spans or client.unreached for client in reader.clients)
        ):
            return False
        stays = state.members.stays(reader.user, room)
        if len(stays) != 1 or stays[0].certain_until != NEVER or stays[0].certain_from >= 0:
            return False
        if room not in self._existing:
            existing = [m for m in said if m.exists_at != NEVER and not state.sentinel(m)]
            self._existing[room] = Counter(message.sender for message in existing)
        self._evidence[NOT_CONNECTED] += self._existing[room].total() - self._existing[room][reader.user]
        return True

    def _message(
        self, state: State, message: Message, readers: list[Reader], audits: list[Audit], *, retired: bool
    ) -> None:
        audit = next((audit for audit in audits if audit.lacks(message)), None)
        stored = message.audited_at != NEVER
        judged = stored or (audit is not None and not retired)
        self._stored += judged
        if audit is not None:
            if not retired:
                self._lost(state, message, audit)
        elif not stored and not retired and state.can("history") and message.acknowledged:
            self._unaudited.setdefault(message.room, message)
        shown = message.seen_at != NEVER
        for reader in readers:
            if reader.user == message.sender:
                continue
            shelf = reader.shelves.get(message.room)
            if shelf is not None and message in shelf.first:
                judged = True
                self._handed += 1
                continue
            if shelf is not None and shelf.lost.excuses(message):
                continue
            stay = _membership(state, reader, message)
            if stay is None:
                continue
            passed = read_past(reader, message, stay)
            if passed is None and stay.certain_until != NEVER:
                continue  # who is removed before reading does not get it
            if passed is None:
                if any(
                    client.unreached or client.connected(message.first_invoke, stay.certain_until)
                    for client in reader.clients
                ):
                    self._unread.setdefault(reader.name, message)
                else:
                    self._evidence[NOT_CONNECTED] += 1
                continue
            judged = True
            self._handed += 1
            self._evidence[passed.grade] += 1
            if shown:
                self._undelivered(message, reader, passed)
            elif audit is None and not retired:
                self._stored += 1
                self._lost_to_all(state, message, reader, passed)
        self._judged += judged

    def _lost(self, state: State, message: Message, audit: Audit) -> None:
        if message.acknowledged:
            known, at = f"which was acknowledged to {message.sender}", message.acked_at
        else:
            known, at = f"which {message.seen_by} got", message.seen_at
        self.found.add(
            "lost",
            f"{message.room} does not hold `{message.name}`, {known}",
            proof(at, audit.index, audit.rests_on(message), message.first_invoke, audit.invoked),
            (message,),
            hint=_fault_between(state, message, audit.index)
            + "It was lost in the store: the audit read the room whole, and it was not there.",
        )

    def _lost_to_all(self, state: State, message: Message, reader: Reader, passed: Shown) -> None:
        self.found.add(
            "lost",
            f"nobody ever got `{message.name}`, which was acknowledged to {message.sender}; {{who}} read past it",
            proof(message.acked_at, passed.at, passed.beside, message.first_invoke),
            (message,),
            beside=(passed.marker,),
            who=reader.name,
            hint=_fault_between(state, message, passed.at)
            + "Whether it was lost in the store or on the way, nobody can tell without the capability `history`.",
        )

    def _undelivered(self, message: Message, reader: Reader, passed: Shown) -> None:
        known = "which was acknowledged" if message.acknowledged else f"which {message.seen_by} saw"
        at = message.audited_at if message.audited_at != NEVER else message.seen_at
        self.found.add(
            "undelivered",
            f"{{who}} never got `{message.name}`, {known}",
            proof(at, passed.at, passed.beside, message.exists_at, message.first_invoke),
            (message,),
            beside=(passed.marker,),
            who=reader.name,
            hint="It is stored: it was lost on the way."
            if message.audited_at != NEVER
            else f"It is there, for {message.seen_by} got it.",
        )

    def _unknown(self) -> str:
        if self._unread:
            message = next(iter(self._unread.values()))
            return f"nothing shows that {people(list(self._unread))} had been read past `{message.name}`"
        if self._unaudited:
            message = next(iter(self._unaudited.values()))
            return f"no audit shows whether {message.room} holds `{message.name}`"
        return ""


def _membership(state: State, reader: Reader, message: Message) -> Stay | None:
    """Return the stay in which the whole send lies and to which the message is visible."""
    end = message.acked_at if message.acknowledged else NEVER - 1
    for stay in state.members.stays(reader.user, message.room):
        if stay.spans(message.first_invoke, end) and not stay.hides(message, message.sequence):
            return stay
    return None


def _fault_between(state: State, message: Message, until: int) -> str:
    """Say how the server ended between the acknowledgement of a message and its loss; empty unless it did so once.

    Of several ends nobody could say which it was; an end before somebody saw the message was surely not it.
    """
    since = message.acked_at if message.seen_at == NEVER else max(message.acked_at, message.seen_at)
    ends = [op for op in state.exits if op.process == SERVER and since < op.index < until]
    if not message.acknowledged or len(ends) != 1:
        return ""
    signal = ends[0].value.get("signal")
    ended = f"was killed by signal {signal}" if signal is not None else "ended"
    when = f"{ends[0].time / 1e9:.3f} s"
    return f"It had been acknowledged when the server {ended} at {when}, and was gone after that. "
