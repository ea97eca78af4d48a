"""Why has Doug not got 41? The verdict of the core on every combination of facts, and the answer of a server."""

import asyncio

import pytest

from chatsys.core.explaining import Delivery, Facts, explain
from chatsys.core.model import History, Membership, Role
from chatsys.v1 import admin_pb2
from tests.chatsys.reader import Reader, pair, two

DOUG = Membership("r", "doug", Role.WRITER, 1, 1, 0)
PLAIN = Facts("doug", 41, "ann", History.SINCE_JOIN, DOUG, 30, True, 0, False, 0, False)


@pytest.mark.parametrize(
    ("facts", "outcome", "sentence"),
    [
        (PLAIN._replace(membership=None), Delivery.NOT_VISIBLE, "doug never was a member of the room"),
        (
            PLAIN._replace(membership=DOUG._replace(end_sequence=50)),
            Delivery.NOT_VISIBLE,
            "doug is no member: that ended at 50",
        ),
        (
            PLAIN._replace(membership=DOUG._replace(join_sequence=44)),
            Delivery.NOT_VISIBLE,
            "doug joined at 44, and sees only what came after that",
        ),
        (PLAIN._replace(sender_id="doug"), Delivery.OWN, "doug sent it; nobody gets back what they sent"),
        (PLAIN._replace(acked=41), Delivery.ACKED, "doug has acknowledged everything up to 41"),
        (PLAIN._replace(stored=False), Delivery.LOST, "retention removed it; doug had acknowledged up to 30"),
        (
            PLAIN._replace(delivered=3),
            Delivery.DELIVERED,
            "it was written to doug, who has acknowledged up to 30",
        ),
        (
            PLAIN._replace(connected=True, written_through=41),
            Delivery.DELIVERED,
            "it was written to doug, who has acknowledged up to 30",
        ),
        (
            PLAIN,
            Delivery.PENDING,
            "doug has no open stream here and has not polled for it; it waits behind 30",
        ),
        (
            PLAIN._replace(connected=True, written_through=40, window_full=True),
            Delivery.PENDING,
            "the window of doug is full: it waits until more than 30 is acknowledged",
        ),
        (
            PLAIN._replace(connected=True, written_through=40),
            Delivery.PENDING,
            "it is on its way: doug was written everything up to 40",
        ),
    ],
)
def test_each_fact_has_its_sentence(facts, outcome, sentence):
    assert explain(facts) == (outcome, sentence)


def test_who_joined_later_sees_it_in_a_whole_room():
    later = PLAIN._replace(membership=DOUG._replace(join_sequence=44), history=History.WHOLE_ROOM)
    assert explain(later)[0] is Delivery.PENDING


async def outcomes(root, room, sequence, user=""):
    request = admin_pb2.ExplainDeliveryRequest(room_id=room, sequence=sequence, user_id=user)
    answer = await root.ExplainDelivery(request)
    return {
        (state.user_id.removesuffix(f"-{room}"), state.consumer_id): Delivery(state.outcome).name.lower()
        for state in answer.states
    }


def test_a_message_on_its_way_through_a_room(world, room, refused):
    async def body(as_user):
        alice, bob, root, reader = await pair(as_user, room)
        await root.add(room, "late")
        sent = (await alice.send(room, "x")).message.sequence
        await reader.until_texts(1)
        await root.add(room, "later")
        assert await outcomes(root, room, sent) == {
            ("alice", ""): "own",
            ("bob", ""): "delivered",
            ("late", ""): "pending",
            ("later", ""): "not_visible",
        }
        await bob.ack(room, sent)
        (state,) = (
            await root.ExplainDelivery(
                admin_pb2.ExplainDeliveryRequest(room_id=room, sequence=sent, user_id=bob.user)
            )
        ).states
        assert (state.outcome, state.deliver_count, state.connected, state.acked_sequence) == (
            5,
            1,
            True,
            sent,
        )
        assert state.last_deliver_time.seconds > 0
        assert await outcomes(root, room, sent, "stranger") == {("stranger", ""): "not_visible"}
        for sequence, sentence in ((2, "is no message"), (99, "does not exist; the newest entry is")):
            with refused("MESSAGE_NOT_FOUND") as why:
                await outcomes(root, room, sequence)
            assert sentence in why[0].message

    world(body)


def test_polls_count_and_devices_are_told_apart(world, room):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        sent = (await alice.send(room, "x")).message.sequence
        await bob.poll()
        await bob.poll()
        await bob.ack(room, sent, "phone")
        request = admin_pb2.ExplainDeliveryRequest(room_id=room, sequence=sent, user_id=bob.user)
        states = (await root.ExplainDelivery(request)).states
        assert [(s.consumer_id, s.outcome) for s in states] == [("phone", Delivery.ACKED)]
        await bob.ack(room, 1)
        await bob.subscribe().read()
        states = (await root.ExplainDelivery(request)).states
        assert [(s.consumer_id, s.outcome, s.deliver_count >= 2) for s in states] == [
            ("", Delivery.DELIVERED, True),
            ("phone", Delivery.ACKED, False),
        ]

    world(body)


def test_a_full_window_is_named(world, room):
    async def body(as_user):
        alice, bob, root = await two(as_user, room)
        reader = Reader(bob.subscribe(max_unacked_messages=1))
        await reader.frame()
        await alice.send(room, "a")
        held = (await alice.send(room, "b")).message.sequence
        await reader.until_texts(1)
        async with asyncio.timeout(10):
            request = admin_pb2.ExplainDeliveryRequest(room_id=room, sequence=held, user_id=bob.user)
            while "is full" not in (state := (await root.ExplainDelivery(request)).states[0]).explanation:
                pass
        assert state.outcome == Delivery.PENDING

    world(body)
