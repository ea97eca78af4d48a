"""members-only: what is said in a room stays in the room.

| kind | violated when |
|---|---|
| leak | a message reaches somebody who may not see it, judged by cause and never by the time of a line |

The causes that convict: the receiver never was (or asked to be) a member; the message stood before the join
in a room that shows nothing from before (`since_join`); it lies beyond the receiver's removal, that is, its
sequence is beyond the removal's, or its send was invoked after the removal was answered, or it came from a
poll or connect invoked after that. A poll or connect invoked before the removal was answered excuses what it
carried. One's own messages are no leak, and a message that nobody sent is judged by no-phantom alone.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from harness.judge.evidence import no_evidence, silence
from harness.judge.family import Family
from harness.judge.findings import proof
from harness.judge.members import Stay
from harness.judge.messages import Message
from harness.judge.readers import Client
from harness.judge.state import State
from harness.model.history import Op
from harness.model.verdict import Verdict

_UNCHECKED = "The server does not check membership where it hands messages out."
_TOO_EARLY = (
    "The server does not look at when a member joined: the room shows nothing from before (`since_join`)."
)


class Suspect(NamedTuple):
    """A delivery to somebody who was not surely a member who may see it."""

    message: Message
    client: Client
    at: int
    sequence: int | None
    carried_at: int
    """Not before this the connect, reconnect or poll that carried it was invoked; -1 when nobody says."""
    restored_at: int
    """When that was a reconnect: its end."""


class MembersOnly(Family):
    """Sets aside deliveries outside sure membership, and judges them at the end, when all joins are known."""

    name: ClassVar[str] = "members-only"
    wants = frozenset({"deliver"})

    def __init__(self) -> None:
        super().__init__()
        self._judged = 0
        self._suspects: list[Suspect] = []

    def step(self, state: State, op: Op) -> None:
        """Set aside what is not plainly in order."""
        now = state.now
        if now.own or not now.message.tries:
            return
        self._judged += 1
        if not now.regular:
            carried_at = state.carriers[now.via][0] if now.via in state.carriers else -1
            restored_at = -1
            if now.process.reconnected_at > carried_at:
                carried_at, restored_at = now.process.reconnected_at, now.process.restored_at
            self._suspects.append(
                Suspect(now.message, now.client, op.index, now.sequence, carried_at, restored_at)
            )

    def finish(self, state: State) -> Verdict:
        """Convict the suspects that no stay excuses."""
        for suspect in self._suspects:
            message, user = suspect.message, suspect.client.reader.user
            stays = [
                stay for stay in state.members.stays(user, message.room) if stay.possible_from < suspect.at
            ]
            reasons = [_why_not(stay, suspect, again=stay is not stays[0]) for stay in stays]
            if None in reasons:
                continue
            why, cause = reasons[-1] or ("", -1) if reasons else (f"{user} was not a member of it", -1)
            early = bool(stays) and stays[-1].hides(message, suspect.sequence)
            asked = "asked" in why
            self.found.add(
                "leak",
                f"{{who}} got `{message.name}`, which {message.sender} sent to {message.room}: {why}",
                proof(
                    suspect.at,
                    cause,
                    *((suspect.carried_at, suspect.restored_at) if asked else (message.exists_at,)),
                    message.first_invoke,
                ),
                (message,),
                who=suspect.client.name,
                hint=_TOO_EARLY if early else _UNCHECKED,
            )
        evidence, watched = self._watched(state)
        judged = self._judged + watched
        return self.verdict(
            judged,
            idle="nobody heard anything, and there was no outsider",
            evidence=evidence,
            occasions={"leak": judged},
        )

    def _watched(self, state: State) -> tuple[dict[str, int], int]:
        """Count outsiders of rooms in which something was said, and how their silence was shown."""
        evidence, watched = no_evidence(), 0
        for room, said in state.messages.by_room.items():
            last = next((message for message in reversed(said) if message.acknowledged), None)
            if last is None or not state.members.knows(room):
                continue
            for client in state.clients.values():
                if state.members.stays(client.reader.user, room):
                    continue
                watched += 1
                if (shown := silence(client, last)) is not None:
                    evidence[shown[1]] += 1
        return evidence, watched


def _why_not(stay: Stay, suspect: Suspect, *, again: bool) -> tuple[str, int] | None:
    """Return why this stay does not excuse the delivery, with the op that shows it; None when it does.

    Args:
        stay: one of those that had begun.
        suspect: the delivery.
        again: whether the user had been a member before this stay.
    """
    message = suspect.message
    if stay.hides(message, suspect.sequence):
        came = "came back" if again else "joined"
        return f"it was there before {stay.user} {came}", stay.possible_from
    if (
        stay.end_sequence is not None
        and suspect.sequence is not None
        and suspect.sequence > stay.end_sequence
    ):
        return f"it came after {stay.user} was no member any more", stay.possible_until
    if message.first_invoke > stay.possible_until:
        return f"it was sent after {stay.user} was no member any more", stay.possible_until
    if suspect.carried_at > stay.possible_until:
        return f"{stay.user} asked for it when no member any more", stay.possible_until
    return None
