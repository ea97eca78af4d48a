"""cursors: the server remembers how far each reader has acknowledged, and no further.

| kind | violated when |
|---|---|
| cursor-regress | the server reports a cursor below acked.low |
| ack-beyond-head | an ack beyond the head is accepted, or a cursor beyond it reported |

The head is not known for sure: an open send or a change of membership may have taken a sequence that nobody was
told of. An ack convicts only when it is beyond all of those that may stand behind the last known entry; see `heads`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.messages import integer
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class Acked(NamedTuple):
    """An accepted acknowledgement, or a reported cursor, beyond all that had been told by then."""

    room: str
    sequence: int
    at: int
    client: str
    reported: bool
    claimed: int
    """Through where the room had been claimed complete by then."""


MOST_SUSPECTS = 8
"""So many are looked at for each room: the first ones, and each costs a look at the whole room."""


class Cursors(Family):
    """Looks at answered acknowledgements."""

    name: ClassVar[str] = "cursors"
    wants = frozenset({"ack", "poll"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._acked = 0
        self._reported = 0
        self._suspects: dict[str, list[Acked]] = {}

    def step(self, state: State, op: Op) -> None:
        """Compare what the server reports with what it had accepted."""
        if op.type != "ok":
            return
        acks, cursors = _sequences(op.value.get("acks")), _sequences(op.value.get("cursors"))
        if not acks and not cursors:
            return
        self._judged += 1
        self._acked += len(acks)
        self._reported += len(cursors)
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
        for told, reported in ((acks, False), (cursors, True)):
            for room, sequence in told.items():
                if sequence > state.heads.told.get(room, -1):
                    suspects = self._suspects.setdefault(room, [])
                    if len(suspects) < MOST_SUSPECTS:
                        claimed = state.heads.claims.get(room, -1)
                        suspects.append(Acked(room, sequence, op.index, op.client, reported, claimed))

    def finish(self, state: State) -> Verdict:
        """Compare what was beyond all that had been told with the most that the head can have been."""
        for room, suspects in self._suspects.items():
            said = [message for message in state.messages.all.values() if message.room == room]
            members = state.members.founders.get(room, 0)
            for suspect in suspects:
                head, shown_at = state.heads.at_most(room, said, members, suspect.at, suspect.claimed)
                if head is not None and suspect.sequence > head:
                    self._beyond(suspect, shown_at)
        return self.verdict(
            self._judged,
            idle="nothing was acknowledged by a reader",
            lacking="ack" if state.lacks("ack") and not self._judged else None,
            occasions={"cursor-regress": self._reported, "ack-beyond-head": self._acked},
        )

    def _beyond(self, suspect: Acked, shown_at: int) -> None:
        did = (
            f"puts {suspect.client}'s cursor at" if suspect.reported else f"let {suspect.client} acknowledge"
        )
        self.found.add(
            "ack-beyond-head",
            f"the server {did} {suspect.sequence} in {suspect.room}, which is beyond its newest entry",
            proof(suspect.at, shown_at),
            who=suspect.client,
        )


def _sequences(value: object) -> dict[str, int]:
    if not isinstance(value, Mapping):
        return {}
    return {
        room: sequence
        for room, sequence in value.items()
        if isinstance(room, str) and integer(sequence) is not None
    }
