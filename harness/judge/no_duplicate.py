"""no-duplicate: what was acknowledged never comes again, and nothing comes again without a cause.

| kind | violated when |
|---|---|
| redelivered-after-ack | delivered again to the same consumer at or below acked.low |
| redelivered-without-cause | delivered again, unacked, and since the first delivery there was no client or server restart, reconnect, cut, takeover, nor a poll that ended info, failed with data, or was never acked (a next poll without `resume_after` starts at the cursor) |

acked.low is taken at the moment from which the reading started: the connect or poll that carried the second
delivery, else the reconnect since the first. For servers without acks a delivery that was handed over counts
as acknowledged. One message at two sequences is `stored-twice`, one's own is `echo`, one that its reader may
not see is `leak`; none of them is judged here.
"""  # noqa: E501  the table is kept as it is published

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from harness.judge.delivery import Delivery
from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.messages import Message
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict


class Pending(NamedTuple):
    """A redelivery by a poll that may acknowledge it itself: judged when the poll is answered."""

    message: Message
    room: str
    sequence: int
    prior: int
    at: int
    client: str


class NoDuplicate(Family):
    """Looks at every delivery that is not the first."""

    name: ClassVar[str] = "no-duplicate"
    wants = frozenset({"deliver", "poll"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._after = 0
        self._pending: dict[int, list[Pending]] = {}

    def step(self, state: State, op: Op) -> None:
        """Judge a redelivery, or the answer of a poll that redelivered."""
        if op.f == "poll":
            if op.type != "invoke" and op.op in self._pending:
                self._answered(op, self._pending.pop(op.op))
            return
        now = state.now
        if not now.regular:
            return
        self._judged += 1
        self._after += now.shelf.acknowledges
        if not now.first and now.message.sequences is None:
            self._again(state, now)

    def finish(self, state: State) -> Verdict:  # noqa: ARG002  it judged as it went
        """Conclude."""
        return self.verdict(
            self._judged,
            idle="nothing was delivered",
            occasions={"redelivered-after-ack": self._after, "redelivered-without-cause": self._judged},
        )

    def _again(self, state: State, now: Delivery) -> None:
        carried_at, kind = state.carriers.get(now.via, (-1, "")) if now.via is not None else (-1, "")
        since = max(carried_at, now.process.connection_at)
        start = since if since > now.prior else now.index
        # Where several poll for one consumer, a poll of one knows nothing of what another's brought. When it was
        # asked, and so what was acknowledged by then, is known only where polls are recorded.
        of_another = now.reader.polled and (
            now.client.inbox(now.message.room).get(now.message, now.index) == now.index
        )
        if of_another:
            if kind != "poll":
                return
            start = since
        if state.lacks("ack", now.client.name):
            self._after_ack(now, now.prior)
            return
        sequence = now.sequence
        if sequence is not None and sequence <= now.shelf.low(start):
            # By what another acknowledged it is convicted only together with the poll that was asked later.
            asked_at = carried_at if of_another else -1
            self._after_ack(now, now.shelf.acknowledged_at(sequence) or -1, asked_at)
            return
        if max(now.reader.cause_at, state.disturbed_at) > now.prior:
            return
        if of_another:
            return
        if kind == "poll" and carried_at > now.prior:
            if sequence is not None and sequence <= now.shelf.high and now.via is not None:
                waiting = Pending(
                    now.message, now.message.room, sequence, now.prior, now.index, now.client.name
                )
                self._pending.setdefault(now.via, []).append(waiting)
            return
        self.found.add(
            "redelivered-without-cause",
            f"{{who}} got `{now.message.name}` again, though nothing had happened since that would explain it",
            proof(now.prior, now.index),
            (now.message,),
            who=now.client.name,
            hint="There was no restart, reconnect, fault or unanswered poll between the two deliveries.",
        )

    def _after_ack(self, now: Delivery, acked_at: int, asked_at: int = -1) -> None:
        self.found.add(
            "redelivered-after-ack",
            f"{{who}} got `{now.message.name}` again after acknowledging it",
            proof(now.prior, acked_at, asked_at, now.index),
            (now.message,),
            who=now.client.name,
            hint="The server forgot, or did not heed, how far this reader had acknowledged.",
        )

    def _answered(self, op: Op, waiting: list[Pending]) -> None:
        """A poll's own acks are applied before it reads, if it ended ok."""
        acks = op.value.get("acks")
        if op.type != "ok" or not isinstance(acks, Mapping):
            return
        for again in waiting:
            acked = acks.get(again.room)
            if isinstance(acked, int) and again.sequence <= acked:
                self.found.add(
                    "redelivered-after-ack",
                    f"{{who}} got `{again.message.name}` again from the poll that acknowledged it",
                    proof(again.prior, again.at, op.index),
                    (again.message,),
                    who=again.client,
                    hint="A poll's acknowledgements are applied before anything is read.",
                )
