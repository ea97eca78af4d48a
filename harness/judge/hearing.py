"""What was heard: deliveries, claims, acknowledgements, polls and fences."""

from __future__ import annotations

from collections.abc import Mapping

from harness.judge.facts import NOT_CLIENTS, Facts, texts
from harness.judge.fences import Fence
from harness.judge.messages import NEVER, Message, integer, text_of
from harness.judge.readers import Declared, Process
from harness.model.history import Op


class Hearing(Facts):
    """How the facts change with what a reader is told."""

    def _deliver(self, op: Op) -> None:
        value, now, index = op.value, self.now, op.index
        self.deliveries += 1
        message = self.messages.of(value)
        process = self.processes.get(op.process) or self.process(op.process, index)
        reader = process.reader
        shelf = reader.shelves.get(message.room) or reader.shelf(message.room)
        leg = self.leg(process, shelf, index)
        sequence = self.sequence(op)
        prior = shelf.again.get(message, shelf.first.get(message, -1))
        own = message.sender == reader.user
        regular = (
            bool(message.tries)
            and (reader.include_own or not own)
            and leg.stay is not None
            and not leg.stay.hides(message, sequence)
        )
        via = integer(value.get("via"))

        now.index, now.time, now.message, now.sequence = index, op.time, message, sequence
        now.process, now.client, now.reader, now.shelf, now.leg = process, process.client, reader, shelf, leg
        now.stay, now.own, now.regular, now.via = leg.stay, own, regular, via
        now.prior, now.first = prior, prior < 0
        now.repeated = prior >= 0 and shelf.had(process, message)
        now.existed_at = message.exists_at
        now.before_of = None
        if regular and sequence is not None:
            if leg.highest is not None and sequence < leg.highest:
                now.before_of, now.before_at = leg.highest_of, leg.highest_at
                now.frame = via == leg.via and leg.frame == len(leg.claims)
            else:
                leg.highest, leg.highest_of, leg.highest_at = sequence, message, index
            leg.pass_over(sequence, index)
            leg.via, leg.frame = via, len(leg.claims)

        if len(reader.clients) > 1:
            process.client.heard.setdefault(message.room, {}).setdefault(message, index)
        if prior < 0:
            shelf.first[message] = index
        else:
            shelf.again[message] = index
            if not now.repeated:
                process.again.add(message)
        if message.seen_at == NEVER:
            message.seen_at, message.seen_by = index, reader.name
        if sequence is not None:
            message.tell_sequence(sequence, reader.name, index, prior)
            if sequence > self.heads.told.get(message.room, -1):
                self.heads.heard(message.room, sequence)

    def _claim(self, op: Op) -> None:
        room, through = text_of(op.value.get("room")), self.sequence(op, "through")
        after = self.sequence(op, "after")
        if room is None or through is None:
            return
        process = self.process(op.process, op.index)
        shelf = process.reader.shelf(room)
        leg = self.leg(process, shelf, op.index)
        self.heads.claimed(room, through)
        leg.claim(after if after is not None else through, through, op.index)
        leg.pass_over(through, op.index)
        shelf.claimed = max(shelf.claimed, through)
        lost = self.sequence(op, "lost")
        if lost is not None:
            shelf.lost.raise_to(lost, op.index)
            self.lost.setdefault(room, Declared()).raise_to(lost, op.index)

    def _ack(self, op: Op) -> None:
        acks = op.value.get("acks")
        if not isinstance(acks, Mapping) or op.op is None:
            return
        reader = self.process(op.process, op.index).reader
        for room, sequence in acks.items():
            if isinstance(room, str) and integer(sequence) is not None and sequence >= 0:
                shelf = reader.shelf(room)
                if op.type == "invoke":
                    shelf.acknowledging(op.op, sequence)
                elif op.type == "fail" and op.f == "ack":
                    shelf.not_acknowledged(op.op)
                else:  # a poll acknowledges before it reads, and may be refused for its reading
                    shelf.perhaps_acknowledged(op.op, sequence)
                if op.type == "ok":
                    shelf.acknowledged(sequence, op.index)

    def _poll(self, op: Op) -> None:
        self._ack(op)
        process = self.process(op.process, op.index)
        if op.type == "invoke":
            if op.op is not None:
                self.carriers[op.op] = (op.index, "poll")
        elif op.type == "ok":
            position = text_of(op.value.get("position"))
            if position is not None and op.value.get("caught_up") is True:
                self._vouch(op, process, "position", frozenset((position,)))
        else:
            process.reader.cause_at = op.index

    def _fence(self, op: Op) -> None:
        if op.type != "ok" or op.value.get("caught_up") is False or op.process in NOT_CLIENTS:
            return
        process = self.process(op.process, op.index)
        positions = set(texts(op.value.get("positions")))
        if (reached := text_of(op.value.get("position"))) is not None:
            positions.add(reached)
        self._vouch(op, process, text_of(op.value.get("grade")) or "window", positions)

    def _vouch(self, op: Op, process: Process, grade: str, positions: set[str] | frozenset[str]) -> None:
        if grade == "position" and not positions:
            return  # it asked for nothing
        markers: dict[str, Message] = {}
        arrived: dict[str, int] = {}
        named = op.value.get("markers")
        if grade == "marker" and isinstance(named, Mapping):
            for room, key in named.items():
                marker = self.messages.keyed(str(room), str(key))
                if marker is None:
                    continue
                got = process.client.inbox(marker.room).get(marker)
                if got is not None:  # a driver's word that it arrived is not its arrival
                    markers[marker.room] = marker
                    arrived[marker.room] = got
        bound, bound_at = self.bound(positions) if grade == "position" else (-1, -1)
        process.reader.fence(
            Fence(
                client=process.client.name,
                index=op.index,
                grade=grade,
                bound=bound,
                bound_at=bound_at,
                positions=positions,
                markers=markers,
                arrived=arrived,
                step=op.step,
                invoked=self.assumptions.invoked_at(op),
            )
        )
