"""cursors: the server remembers how far each reader has acknowledged, and no further.

| kind | violated when |
|---|---|
| cursor-regress | the server reports a cursor below acked.low |
| ack-beyond-head | an ack beyond the head is accepted, or a cursor beyond it reported |

The head is not known for sure: every send and every change of membership may have taken a sequence that
nobody was told of. An ack convicts only when it is beyond all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.messages import integer
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class Cursors(Family):
    """Looks at answered acknowledgements."""

    name: ClassVar[str] = "cursors"
    wants = frozenset({"ack", "poll"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._highest: dict[str, tuple[int, int, str]] = {}
        """The highest cursor accepted or reported, by room: (sequence, op index, client)."""

    def step(self, state: State, op: Op) -> None:
        """Compare what the server reports with what it had accepted."""
        if op.type != "ok":
            return
        acks, cursors = _sequences(op.value.get("acks")), _sequences(op.value.get("cursors"))
        if not acks and not cursors:
            return
        self._judged += 1
        reader = state.process(op.process, op.index).reader
        began = state.assumptions.invoked_at(op)
        for room, cursor in cursors.items():
            shelf = reader.shelf(room)
            low = max(shelf.low(began), acks.get(room, 0))
            if cursor < low:
                self.found.add(
                    "cursor-regress",
                    f"the server puts {op.client}'s cursor in {room} at {cursor}, after accepting {low}",
                    proof(shelf.acknowledged_at(low) or -1, op.index),
                    who=op.client,
                )
        for told in (acks, cursors):
            for room, sequence in told.items():
                if sequence > self._highest.get(room, (-1, -1, ""))[0]:
                    self._highest[room] = (sequence, op.index, op.client)

    def finish(self, state: State) -> Verdict:
        """Compare the highest acknowledgement of each room with the most that its head can be."""
        for room, (sequence, index, client) in self._highest.items():
            if sequence > state.head_at_most(room):
                self.found.add(
                    "ack-beyond-head",
                    f"the server let {client} acknowledge {sequence} in {room}, which is beyond its newest entry",
                    proof(index),
                    who=client,
                )
        return self.verdict(
            self._judged,
            idle="nothing was acknowledged by a reader",
            lacking="ack" if state.lacks("ack") and not self._judged else None,
        )


def _sequences(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {
        room: sequence
        for room, sequence in value.items()
        if isinstance(room, str) and integer(sequence) is not None
    }
