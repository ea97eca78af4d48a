"""The facts of a history, folded one operation at a time; what every check reads and none writes.

`observe` is called once for each operation, before the checks see it. About the delivery just observed,
`now` tells what was so *before* it (was it the first? what had the leg reached?), so that checks need
remember little of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.judge.doings import Doings
from harness.judge.facts import NOT_CLIENTS
from harness.judge.hearing import Hearing
from harness.judge.lives import Lives
from harness.judge.messages import text_of
from harness.model.history import NEMESIS, Op
from harness.model.plan import Plan

READING = frozenset({"deliver", "claim", "connection", "ended", "poll", "ack", "connect", "disconnect"})
"""Operations of somebody who reads, of no interest when it is the harness itself."""
WRITES = frozenset({"send", "create", "join", "leave", "add", "kick"})
"""Operations whose answer's position is a moment after they were stored. A read's may be older than its call."""


class State(Lives, Doings, Hearing):
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
            "holds": self._life,
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
                self.answered_with(position, self.assumptions.invoked_at(op), op.index)
        return True
