"""ExplainDelivery of AdminService: why has Doug not got 41?"""

from typing import Any

from chatsys.core import check
from chatsys.core.explaining import Facts, explain
from chatsys.core.model import Kind, Membership, Room
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.polling import NOWHERE, reading_start
from chatsys.server.services import House, timestamp
from chatsys.server.stream import Stream
from chatsys.store import Reads
from chatsys.v1 import admin_pb2

MOST_USERS = 1_000
"""Users that one answer tells about; more are asked for by name."""


class ExplainMethods:
    """The part of chatsys.v1.AdminService that looks at deliveries.

    Args:
        house: What it works with.
    """

    def __init__(self, house: House) -> None:
        self._explained = house

    async def explain_delivery(self, request: admin_pb2.ExplainDeliveryRequest, call: Call) -> Any:
        """For one message, the state of every consumer."""
        house = self._explained
        if not call.caller.admin:
            raise Refusal(
                Reason.ROLE_REQUIRED,
                "only a caller with the admin scope is told what others received",
                metadata={"required_role": "admin scope"},
            )
        check.room_id(request.room_id)
        check.sequence(request.sequence, "sequence")
        if request.user_id:
            check.user_id(request.user_id)
        await house.reach(request.min_positions, call)
        reads = house.store.reads()
        number, room = house.room_of(reads, call, request.room_id)
        sender = _sender(reads, number, room, request.sequence)
        if request.user_id:
            people = {request.user_id: reads.membership(number, room.room_id, request.user_id)}
        else:
            people = {each.user_id: each for each in reads.memberships(number, room.room_id, MOST_USERS)}
        answer = admin_pb2.ExplainDeliveryResponse()
        for user_id, membership in people.items():
            for consumer_id in self._consumers(reads, number, user_id):
                state = self._state(reads, room, request.sequence, sender, (user_id, consumer_id), membership)
                answer.states.append(state)
        return answer

    def _consumers(self, reads: Reads, number: int, user_id: str) -> list[str]:
        known = set(reads.consumers(number, user_id))
        known |= {consumer for user, consumer in self._explained.hub.streams if user == user_id}
        return sorted(known) or [""]

    def _state(
        self,
        reads: Reads,
        room: Room,
        sequence: int,
        sender: str,
        reader: tuple[str, str],
        membership: Membership | None,
    ) -> admin_pb2.DeliveryState:
        hub = self._explained.hub
        stream = hub.streams.get(reader)
        spans = hub.deliveries.of(*reader, room.room_id, sequence)
        place = reads.place(*reader, room.room_id)
        acked = 0 if place is None else reading_start(place, NOWHERE)
        written, full = (0, False)
        if isinstance(stream, Stream):
            written, full = stream.standing(room.room_id)
        facts = Facts(
            user_id=reader[0],
            sequence=sequence,
            sender_id=sender,
            history=room.history,
            membership=membership,
            acked=acked,
            stored=sequence >= room.first,
            delivered=len(spans),
            connected=stream is not None,
            written_through=written,
            window_full=full,
        )
        outcome, sentence = explain(facts)
        state = admin_pb2.DeliveryState(
            user_id=reader[0],
            consumer_id=reader[1],
            outcome=admin_pb2.DeliveryOutcome.ValueType(outcome.value),
            deliver_count=len(spans),
            explanation=sentence,
            acked_sequence=acked,
            connected=facts.connected,
        )
        if spans:
            state.last_deliver_time.CopyFrom(timestamp(spans[-1].time_us))
        return state


def _sender(reads: Reads, number: int, room: Room, sequence: int) -> str:
    """Who sent the message; empty when retention removed it.

    Raises:
        Refusal: MESSAGE_NOT_FOUND: there never was one.
    """
    if 0 < sequence < room.first:
        return ""
    row = reads.entry(number, sequence) if sequence else None
    if row is None or row.kind != Kind.MESSAGE.value:
        what = "is no message" if row is not None else f"does not exist; the newest entry is {room.head}"
        raise Refusal(
            Reason.MESSAGE_NOT_FOUND,
            f"entry {sequence} of room {room.room_id!r} {what}",
            resource=("message", f"{room.room_id}/{sequence}"),
        )
    return row.actor_id
