"""The pure parts: ids, pauses, what was handed over, batches cut to size."""

from __future__ import annotations

import subprocess
import sys
import uuid

import grpc
from hypothesis import given
from hypothesis import strategies as st

from chatsys.client import errors
from chatsys.client.batches import MAX_BATCH_BYTES, MAX_BATCH_MESSAGES, cut
from chatsys.client.errors import InternalError, UnavailableError, from_rpc, make_error
from chatsys.client.ids import make_uuid7, uuid7
from chatsys.client.place import MAX_OWN_POSITIONS, Chain, Place
from chatsys.client.retry import RetryPolicy
from chatsys.v1.chat_pb2 import SendMessageRequest
from tests.client.scripted import delta


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_uuid7_has_its_time_version_and_variant(ms, random):
    made = make_uuid7(ms, random)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == ms


def test_ids_grow_and_differ():
    ids = [uuid7() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [made[:13] for made in ids] == sorted(made[:13] for made in ids)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_stay_in_their_bounds(tries, chance):
    policy = RetryPolicy()
    assert policy.first_pause / 2 <= policy.pause(tries, chance) <= policy.longest_pause


def test_a_wish_of_the_server_is_the_least_pause():
    fault = make_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "", retry_after=3.0)
    assert RetryPolicy().pause(1, 0.0, fault) == 3.0


def test_a_write_that_broke_off_is_an_outage_and_no_fault_of_the_server():
    def ended(details):
        nothing = grpc.aio.Metadata()
        return from_rpc(grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, details))

    broken = ended("Internal error from Core")
    assert isinstance(broken, UnavailableError)
    assert (broken.retryable, broken.definite) == (True, False)
    assert isinstance(ended("the server has a fault"), InternalError)


def test_every_status_has_a_meaning():
    for code in grpc.StatusCode:
        if code is not grpc.StatusCode.OK:
            assert make_error(code, "").code is code


def test_the_reasons_acted_upon_are_those_of_the_server():
    from chatsys.errors import Reason

    for reason in (errors.LOG_EPOCH_CHANGED, errors.SESSION_REPLACED):
        assert (
            Reason(reason).code
            == errors._BY_REASON[
                next(key for key in errors._BY_REASON if key[1] == reason)
            ].default_code.value[0]
        )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=30))
def test_each_message_is_handed_over_once_in_order(pairs):
    """Whatever a server repeats, claims anew or takes back."""
    place = Place()
    handed = []
    for after, length in pairs:
        taken = place.take(delta(after, after + length, *range(after + 1, after + length + 1)))
        handed += [message.sequence for message in taken.messages]
    assert handed == sorted(set(handed))
    assert place.handed("lobby") == max((a + n for a, n in pairs), default=0)


def test_an_ended_membership_is_told_again_only_after_a_new_one():
    place = Place()
    assert place.take(delta(0, 5, membership_ended=True)).ended
    assert place.take(delta(0, 5, membership_ended=True)) is None
    assert [m.sequence for m in place.take(delta(7, 8, 8)).messages] == [8]
    assert place.take(delta(8, 9, membership_ended=True)).ended


def test_hearing_of_the_end_reads_nothing():
    place = Place()
    place.take(delta(0, 2, 1, 2))
    place.take(delta(2, 5, membership_ended=True))
    assert place.handed("lobby") == 2
    assert [(ack.sequence, ack.ended_sequence) for ack in place.resume_after()] == [(2, 5)]
    assert [m.sequence for m in place.take(delta(2, 7, 3, 4, 7)).messages] == [3, 4, 7]


def test_a_chain_joins_or_does_not():
    chain = Chain()
    assert chain.joins(delta(3, 5))
    assert chain.joins(delta(0, 1, room="other"))
    assert chain.joins(delta(5, 5))
    assert not chain.joins(delta(4, 6))
    assert not chain.joins(delta(6, 7))
    assert chain.joins(delta(5, 6, membership_ended=True))
    assert chain.joins(delta(9, 9))


def test_positions_are_dropped_only_for_what_includes_them():
    place = Place()
    place.saw("a")
    place.saw("b")
    known = place.positions()
    place.saw("c")
    place.saw("d", known)
    assert place.positions() == ("c", "d")
    place.saw("")
    assert place.positions() == ("c", "d")
    for number in range(2 * MAX_OWN_POSITIONS):
        place.saw(str(number))
    assert len(place.positions()) == MAX_OWN_POSITIONS


@given(st.lists(st.integers(0, MAX_BATCH_BYTES // 2), max_size=12), st.integers(0, 2500))
def test_batches_are_cut_in_order_and_to_size(large, small):
    sizes = [*large, *[1] * small]
    requests = [SendMessageRequest(content=b"x" * size) for size in sizes]
    parts = list(cut(requests))
    assert [request for part in parts for request in part] == requests
    for part in parts:
        assert 0 < len(part) <= MAX_BATCH_MESSAGES
        assert len(part) == 1 or sum(request.ByteSize() for request in part) <= MAX_BATCH_BYTES


def test_importing_starts_nothing():
    code = """
import asyncio, os, sys, threading
import chatsys.client, harness.drivers.chatsys
assert threading.active_count() == 1, threading.enumerate()
assert len(os.listdir("/proc/self/task")) == 1
assert asyncio._get_running_loop() is None
assert not [m for m in ("rich", "yaml", "click", "sqlite3", "chatsys.server") if m in sys.modules]
child = os.fork()
if child == 0:
    os._exit(0 if len(os.listdir("/proc/self/task")) == 1 else 1)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
