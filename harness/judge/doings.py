"""What was done: rooms and memberships made and ended, messages sent, and rooms read whole by the audit."""

from __future__ import annotations

from harness.judge.delivery import Audit
from harness.judge.facts import NOT_CLIENTS, Facts, texts
from harness.judge.messages import NEVER, text_of
from harness.judge.readers import Declared
from harness.model.history import Op


class Doings(Facts):
    """How the facts change with what people ask the server to do, and what the harness reads of it."""

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
        sequence = self.sequence(op)
        members = self.members
        if op.type == "invoke":
            self.heads.changing(room, op.op, op.index)
        else:
            self.heads.changed(room, op.op, op.index, sequence, refused=op.type == "fail")
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

    def _send(self, op: Op) -> None:
        if op.type == "invoke":
            self.messages.invoked(op.index, op.op, op.value, op.step)
            return
        message = self.messages.tried(op.op)
        if message is None:
            return
        if op.type == "ok":
            prior = message.acked_at if message.acknowledged else -1
            if prior < 0:
                message.acked_at = op.index
                message.position = text_of(op.value.get("position"))
            sequence = self.sequence(op)
            if sequence is not None:
                message.tell_sequence(sequence, message.sender, op.index, prior)
                self.heads.heard(message.room, sequence)
            return
        message.error = op.error or {}
        if op.type == "fail":
            message.failed += 1
            message.refusal = op.index
        else:
            message.open_at = op.index

    def _read(self, op: Op) -> None:
        message = self.messages.of(op.value)
        sequence = self.sequence(op)
        prior = message.audited_at if message.audited_at != NEVER else -1
        if prior < 0:
            message.audited_at = op.index
        if message.seen_at == NEVER:
            message.seen_at, message.seen_by = op.index, "the audit"
        audit = self.audits.get(op.op) if op.op is not None else None
        if audit is not None:
            audit.seen.add(message)
        if sequence is not None:
            message.tell_sequence(sequence, "the audit", op.index, prior)
            self.heads.heard(message.room, sequence)
            if audit is not None and sequence > audit.highest:
                audit.highest, audit.highest_at = sequence, op.index

    def _history(self, op: Op) -> None:
        room = text_of(op.value.get("room"))
        if op.op is None or room is None:
            return
        if op.type == "invoke":
            audit = Audit(room, op.index, frozenset(texts(op.value.get("positions"))))
            self.audits[op.op] = audit
            self.audits_of.setdefault(room, []).append(audit)
        elif op.type == "ok" and op.op in self.audits:
            audit = self.audits[op.op]
            audit.index = op.index
            audit.bound, audit.bound_at = self.bound(audit.positions)
            lost = self.sequence(op, "lost")
            if lost is not None:
                self.lost.setdefault(room, Declared()).raise_to(lost, op.index)
