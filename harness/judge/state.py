"""The facts of a history, folded one operation at a time; what every check reads and none writes.

`observe` is called once for each operation, before the checks see it. About the delivery just observed,
`now` tells what was so *before* it (was it the first? what had the leg reached?), so that checks need
remember little of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.judge.delivery import Audit
from harness.judge.facts import Facts, Fault
from harness.judge.fences import Fence
from harness.judge.messages import NEVER, Message, integer, text_of
from harness.judge.readers import Process
from harness.model.history import ENDS_ITSELF, FENCE, HARNESS, HEALS, NEMESIS, SCRIPT, SERVER, Op
from harness.model.plan import Plan

ENDING = frozenset({*HEALS, *ENDS_ITSELF, "fired"})
"""Acts of the nemesis after which a fault is over."""
NOT_CLIENTS = frozenset({SERVER, HARNESS, FENCE, SCRIPT, NEMESIS})
READING = frozenset({"deliver", "claim", "connection", "ended", "poll", "ack", "connect", "disconnect"})
"""Operations of somebody who reads, of no interest when it is the harness itself."""
WRITES = frozenset({"send", "create", "join", "leave", "add", "kick"})
"""Operations whose answer's position is a moment after they were stored. A read's may be older than its call."""


class State(Facts):
    """The facts, and how each operation changes them."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._handlers: Mapping[str, Callable[[Op], None]] = {
            "deliver": self._deliver,
            "claim": self._claim,
            "send": self._send,
            "ack": self._ack,
            "poll": self._poll,
            "fence": self._fence,
            "read": self._read,
            "history": self._history,
            "connect": self._connect,
            "disconnect": self._disconnect,
            "connection": self._connection,
            "spawn": self._spawn,
            "exit": self._exit,
            "start": self._start,
            "create": self._create,
            "join": self._membership,
            "add": self._membership,
            "leave": self._membership,
            "kick": self._membership,
            "script": self._life,
            "final": self._life,
            "leftovers": self._life,
        }

    def observe(self, op: Op) -> bool:
        """Take in one operation; return whether it is for the checks to see.

        What the harness's own processes read is nobody's inbox: it is taken for granted.
        """
        self.size += 1
        self.assumptions.check(op)
        if op.f in READING and op.process in NOT_CLIENTS:
            return False
        handler = self._handlers.get(op.f)
        if handler is not None:
            handler(op)
        if op.process == NEMESIS:
            self._nemesis(op)
        if op.step is not None and op.step in self.kept:
            self.kept[op.step].append(op)
        if op.type == "ok" and op.f in WRITES and op.op is not None:
            position = text_of(op.value.get("position"))
            if position is not None:
                invoked = self.assumptions.invoked_at(op)
                if invoked > self._position_invoked.get(position, -1):
                    self._position_invoked[position] = invoked
        return True

    # -- people ------------------------------------------------------------------------------------------

    def _spawn(self, op: Op) -> None:
        said = op.value.get("capabilities")
        if isinstance(said, (list, tuple)):
            named = {item for item in said if isinstance(item, str)}
            self.capabilities = named if self.capabilities is None else self.capabilities & named
        if op.process not in NOT_CLIENTS:
            process = self.process(op.process, op.index)
            process.reader.cause_at = op.index

    def _exit(self, op: Op) -> None:
        self.exits.append(op)
        if op.process == SERVER:
            self.disturbed_at = op.index
        elif op.process not in NOT_CLIENTS:
            process = self.process(op.process, op.index)
            process.client.gone(op.index)
            process.reader.cause_at = op.index

    def _start(self, op: Op) -> None:
        self.starts.append(op)
        self.disturbed_at = op.index

    def _life(self, op: Op) -> None:
        self.lives.append(op)
        if op.f == "final" and op.type == "invoke":
            self.final_at = op.index

    def _connect(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        if op.type == "invoke":
            if op.op is not None:
                self.carriers[op.op] = (op.index, "connect")
            process.client.connecting(op.index)
        elif op.type == "fail":
            process.client.refused(self.assumptions.invoked_at(op))
            if op.step in self.refusals:
                self.left_alone.add(process.client.name)
        elif op.type == "ok" and process.client.name in self.left_alone:
            self._back(process.client.name)
        if op.type != "invoke" and self.final_at >= 0:
            process.client.unreached = op.type != "ok"
        process.connection_at = process.reader.cause_at = op.index

    def _back(self, client: str) -> None:
        if not any(known.name == client and known.stay_offline for known in self.plan.clients):
            self.left_alone.discard(client)

    def _disconnect(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        if op.type == "ok":
            process.client.gone(op.index)
        process.connection_at = op.index

    def _connection(self, op: Op) -> None:
        process = self.process(op.process, op.index)
        process.connection_at = process.reader.cause_at = op.index
        if op.value.get("state") == "lost":
            process.lost_at = op.index
        else:
            process.reconnected_at = process.lost_at

    def _nemesis(self, op: Op) -> None:
        """A fault is active from its invocation until what ends it was answered."""
        named = op.value.get("targets", op.value.get("target", ""))
        targets = [str(item) for item in named] if isinstance(named, (list, tuple)) else [str(named)]
        struck = [self.clients.get(target.partition("#")[0]) for target in targets]
        if not struck or None in struck:
            self.disturbed_at = op.index
        for client in struck:
            if client is not None:
                client.reader.cause_at = op.index
        if op.type == "invoke" and op.f not in HEALS:
            for target in targets:
                fault = Fault(op.f, target, op.index, op.value.get("id"))
                self.faults.append(fault)
                self._active.setdefault(target, []).append(fault)
        elif op.type == "ok" and op.f in ENDING:
            for target in targets:
                for fault in self._active.get(target, ()):
                    if fault.ended_by(op):
                        fault.until = op.index
                self._active[target] = [
                    fault for fault in self._active.get(target, ()) if fault.until == NEVER
                ]

    # -- rooms -------------------------------------------------------------------------------------------

    def _create(self, op: Op) -> None:
        room = text_of(op.value.get("room"))
        if room is None or any(known.name == room for known in self.plan.rooms):
            return
        listed = op.value.get("members")
        users = (
            {item for item in listed if isinstance(item, str)} if isinstance(listed, (list, tuple)) else set()
        )
        if op.process not in NOT_CLIENTS:
            users.add(self.process(op.process, op.index).reader.user)
        if op.type == "invoke":
            self.members.making(room, sorted(users), op.value.get("history"), op.index)
        elif op.type == "ok":
            self.members.made(room, sorted(users), op.index)
        elif op.type == "fail":
            for user in users:
                self.members.not_joined(user, room)

    def _membership(self, op: Op) -> None:
        room = text_of(op.value.get("room"))
        if room is None:
            return
        user = text_of(op.value.get("user"))
        if user is None or op.f in ("join", "leave"):
            user = self.process(op.process, op.index).reader.user
        sequence = integer(op.value.get("sequence"))
        members = self.members
        if op.f in ("join", "add"):
            if op.type == "invoke":
                members.joining(user, room, op.index)
            elif op.type == "ok":
                members.joined(user, room, op.index, sequence)
            elif op.type == "fail":
                members.not_joined(user, room)
        elif op.type == "invoke":
            members.leaving(user, room, op.index)
        elif op.type == "ok":
            members.left(user, room, op.index, sequence)
        elif op.type == "fail":
            members.not_left(user, room)

    # -- messages ----------------------------------------------------------------------------------------

    def _send(self, op: Op) -> None:
        if op.type == "invoke":
            self.messages.invoked(op.index, op.op, op.value, op.step)
            return
        message = self.messages.tried(op.op)
        if message is None:
            return
        if op.type == "ok":
            again = message.acknowledged
            if not again:
                message.acked_at = op.index
                message.position = text_of(op.value.get("position"))
            sequence = integer(op.value.get("sequence"))
            if sequence is not None:
                message.tell_sequence(sequence, message.sender, op.index, again=again)
            return
        message.error = op.error or {}
        if op.type == "fail":
            message.failed += 1
            message.refusal = op.index
        else:
            message.open_at = op.index

    def _read(self, op: Op) -> None:
        message = self.messages.of(op.value)
        sequence = integer(op.value.get("sequence"))
        again = message.audited_at != NEVER
        if not again:
            message.audited_at = op.index
        if message.seen_at == NEVER:
            message.seen_at, message.seen_by = op.index, "the audit"
        audit = self.audits.get(op.op) if op.op is not None else None
        if audit is not None:
            audit.seen.add(message)
        if sequence is not None:
            message.tell_sequence(sequence, "the audit", op.index, again=again)
            if audit is not None:
                audit.highest = max(audit.highest, sequence)

    def _history(self, op: Op) -> None:
        room = text_of(op.value.get("room"))
        if op.op is None or room is None:
            return
        if op.type == "invoke":
            audit = Audit(room, op.index, frozenset(_texts(op.value.get("positions"))))
            self.audits[op.op] = audit
            self.audits_of.setdefault(room, []).append(audit)
        elif op.type == "ok" and op.op in self.audits:
            audit = self.audits[op.op]
            audit.index = op.index
            audit.bound = self._bound(audit.positions)

    # -- reading -----------------------------------------------------------------------------------------

    def _deliver(self, op: Op) -> None:
        value, now, index = op.value, self.now, op.index
        self.deliveries += 1
        message = self.messages.of(value)
        process = self.processes.get(op.process) or self.process(op.process, index)
        reader = process.reader
        shelf = reader.shelves.get(message.room) or reader.shelf(message.room)
        leg = self.leg(process, shelf, index)
        sequence = integer(value.get("sequence"))
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
            message.tell_sequence(sequence, reader.name, index, again=prior >= 0)

    def _claim(self, op: Op) -> None:
        room, through = text_of(op.value.get("room")), integer(op.value.get("through"))
        after = integer(op.value.get("after"))
        if room is None or through is None:
            return
        process = self.process(op.process, op.index)
        leg = self.leg(process, process.reader.shelf(room), op.index)
        leg.claim(after if after is not None else through, through, op.index)
        leg.pass_over(through, op.index)
        lost = integer(op.value.get("lost"))
        if lost is not None:
            self._lost[room] = max(lost, self.declared_lost(room))

    def _ack(self, op: Op) -> None:
        acks = op.value.get("acks")
        if not isinstance(acks, Mapping) or op.op is None:
            return
        reader = self.process(op.process, op.index).reader
        for room, sequence in acks.items():
            if isinstance(room, str) and integer(sequence) is not None:
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
        positions = set(_texts(op.value.get("positions")))
        if (reached := text_of(op.value.get("position"))) is not None:
            positions.add(reached)
        self._vouch(op, process, text_of(op.value.get("grade")) or "window", positions)

    def _vouch(self, op: Op, process: Process, grade: str, positions: set[str] | frozenset[str]) -> None:
        if grade == "position" and not positions:
            return  # it asked for nothing
        markers: dict[str, Message] = {}
        named = op.value.get("markers")
        if grade == "marker" and isinstance(named, Mapping):
            for room, key in named.items():
                marker = self.messages.keyed(str(room), str(key))
                if marker is not None:
                    markers[marker.room] = marker
        process.reader.fence(
            Fence(
                client=process.client.name,
                index=op.index,
                grade=grade,
                bound=self._bound(positions) if grade == "position" else -1,
                positions=positions,
                markers=markers,
                step=op.step,
                invoked=self.assumptions.invoked_at(op),
            )
        )

    def _bound(self, positions: set[str] | frozenset[str]) -> int:
        """Return the latest invocation of a write that was answered with one of these positions."""
        return max((self._position_invoked.get(position, -1) for position in positions), default=-1)


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple)) else []
