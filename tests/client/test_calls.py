"""Calls: tried again under the same id, bounded by their deadline, and what their failures say."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest

from chatsys.client import (
    CancelledError,
    ChatError,
    Client,
    DeadlineExceededError,
    InvalidArgumentError,
    Outgoing,
    PermissionDeniedError,
    ResourceExhaustedError,
    RetryPolicy,
    UnavailableError,
)
from chatsys.v1.chat_pb2 import (
    AckMessagesRequest,
    PollRequest,
    PollResponse,
    SendMessageError,
    SendMessageRequest,
    SendMessageResponse,
    SendMessageResult,
    SendMessagesResponse,
)
from chatsys.v1.types_pb2 import Message
from tests.client.scripted import Scripted, abort, delta, forever, serving

QUICK = RetryPolicy(try_timeout=0.2, first_pause=0.01, longest_pause=0.05)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def stored(request, context):
    return SendMessageResponse(message=Message(sequence=7), position="p7")


async def silence(request, context):
    await forever()


def refuses(code, reason, **metadata):
    async def answer(request, context):
        await abort(context, code, reason, **metadata)

    return answer


def test_a_lost_answer_is_asked_for_again_under_the_same_id():
    async def main():
        server = Scripted()
        server.sends = [silence, refuses(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"), stored]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            sent = await client.send("lobby", "hi", within=5)
        assert sent.sequence == 7
        requests = server.seen(SendMessageRequest)
        assert len(requests) == 3
        assert {request.client_message_id for request in requests} == {sent.client_message_id}

    run(main())


def test_it_waits_as_long_as_the_server_wishes():
    async def main():
        server = Scripted()
        server.sends = [refuses(grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry_after=0.3), stored]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            begun = time.monotonic()
            await client.send("lobby", "hi", within=5)
            assert time.monotonic() - begun >= 0.3

    run(main())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDeniedError),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidArgumentError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ResourceExhaustedError),
    ],
)
def test_a_refusal_is_definite_and_asked_once(code, kind):
    async def main():
        server = Scripted()
        server.sends = [refuses(code, "REASON", limit="5")]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            with pytest.raises(kind) as caught:
                await client.send("lobby", "hi", within=5)
        assert (caught.value.reason, caught.value.metadata) == ("REASON", {"limit": "5"})
        assert caught.value.definite
        assert len(server.seen(SendMessageRequest)) == 1
        assert str(caught.value) == f"{code.name} REASON: reason"

    run(main())


def test_silence_ends_at_the_deadline_with_an_unknown_fate():
    async def main():
        server = Scripted()
        server.sends = [silence]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            begun = time.monotonic()
            with pytest.raises(DeadlineExceededError) as caught:
                await client.send("lobby", "hi", within=0.7)
            assert time.monotonic() - begun > 0.4, "it was tried for as long as was said"
        assert not caught.value.definite
        assert len(server.seen(SendMessageRequest)) > 1

    run(main())


def test_nobody_there():
    async def main():
        async with Client("127.0.0.1:1", user="alice", retry=QUICK) as client:
            with pytest.raises(UnavailableError) as caught:
                await client.send("lobby", "hi", within=0.3)
        assert not caught.value.definite

    run(main())


def test_acks_are_the_latest_one_call_at_a_time():
    async def main():
        server = Scripted()
        gate = asyncio.Event()

        async def slow(request, context):
            await gate.wait()
            return await quick(request, context)

        async def quick(request, context):
            from chatsys.v1.chat_pb2 import AckMessagesResponse

            return AckMessagesResponse()

        server.acks = [slow, refuses(grpc.StatusCode.UNAVAILABLE, "DRAINING"), quick]
        async with serving(server) as target, Client(target, user="bob", retry=RetryPolicy()) as client:
            client.ack("lobby", 1)
            await server.called(AckMessagesRequest)
            for sequence in (2, 3, 5, 4):
                client.ack("lobby", sequence)
            client.ack("other", 9)
            gate.set()
            assert await client.flush_acks()
        told = [
            {ack.room_id: ack.sequence for ack in request.acks} for request in server.seen(AckMessagesRequest)
        ]
        assert told == [{"lobby": 1}, {"lobby": 5, "other": 9}, {"lobby": 5, "other": 9}]

    run(main())


def test_a_poll_resumes_after_what_was_handed_over():
    async def main():
        server = Scripted()

        async def twice(request, context):
            return PollResponse(deltas=[delta(0, 2, 1, 2)], position="p2", caught_up=True)

        server.polls = [refuses(grpc.StatusCode.UNAVAILABLE, "DRAINING"), twice]
        async with serving(server) as target, Client(target, user="bob", retry=QUICK) as client:
            first = await client.poll(positions=["px"])
            second = await client.poll(acks={"lobby": 2})
        assert [m.sequence for d in first.deltas for m in d.messages] == [1, 2]
        assert [m.sequence for d in second.deltas for m in d.messages] == []
        *_, last = server.seen(PollRequest)
        assert last.resume_after[0].sequence == 2
        assert list(last.min_positions) == ["p2"]

    run(main())


def test_a_poll_after_a_changed_epoch_reads_from_the_cursor_and_says_so():
    async def main():
        server = Scripted()

        async def before(request, context):
            return PollResponse(deltas=[delta(0, 9, 9)], position="old.9", caught_up=True)

        async def after(request, context):
            assert not request.min_positions
            assert not request.resume_after
            return PollResponse(deltas=[delta(0, 1, 1)], position="new.1", caught_up=True)

        changed = refuses(grpc.StatusCode.FAILED_PRECONDITION, "LOG_EPOCH_CHANGED")
        server.polls = [before, changed, after]
        async with serving(server) as target, Client(target, user="bob", retry=QUICK) as client:
            assert not (await client.poll()).epoch_changed
            polled = await client.poll()
        assert polled.epoch_changed
        assert [m.sequence for d in polled.deltas for m in d.messages] == [1]

    run(main())


def answer_to(request, start):
    results = []
    for offset, each in enumerate(request.requests):
        if each.content == b"bad":
            error = SendMessageError(code=3, reason="FIELD_INVALID", message="bad")
            results.append(SendMessageResult(error=error))
        else:
            response = SendMessageResponse(message=Message(sequence=start + offset))
            results.append(SendMessageResult(response=response))
    return SendMessagesResponse(results=results, position=f"p{start}")


def test_batches_keep_their_order_over_a_broken_stream():
    async def main():
        server = Scripted()
        seen = []

        async def first(requests, context):
            count = 0
            async for request in requests:
                seen.append([each.client_message_id for each in request.requests])
                count += 1
                if count == 2:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
                yield answer_to(request, 1)

        async def second(requests, context):
            async for request in requests:
                seen.append([each.client_message_id for each in request.requests])
                yield answer_to(request, 10)

        server.batches = [first, second]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            answers = await asyncio.gather(
                *(client.send_batch([Outgoing("lobby", "x", f"{n}")], within=5) for n in range(4))
            )
            mixed = await client.send_batch([Outgoing("lobby", "bad"), Outgoing("lobby", "good")], within=5)
        assert [answer[0].client_message_id for answer in answers] == ["0", "1", "2", "3"]
        assert seen[:2] == [["0"], ["1"]]
        assert seen[2:5] == [["1"], ["2"], ["3"]]
        assert isinstance(mixed[0], InvalidArgumentError)
        assert mixed[0].reason == "FIELD_INVALID"
        assert mixed[1].sequence == 11

    run(main())


def test_a_batch_that_is_not_answered_ends_at_the_deadline():
    async def main():
        server = Scripted()

        async def mute(requests, context):
            await forever()
            yield

        server.batches = [mute]
        async with serving(server) as target, Client(target, user="alice", retry=QUICK) as client:
            with pytest.raises(ChatError) as caught:
                await client.send_batch([Outgoing("lobby", "x")], within=0.3)
            assert not caught.value.definite

    run(main())


def test_closing_ends_what_is_under_way():
    async def main():
        server = Scripted()
        server.sends = [silence]
        async with serving(server) as target:
            client = Client(target, user="alice")
            sending = asyncio.create_task(client.send("lobby", "hi", within=15))
            await server.called(SendMessageRequest)
            await client.close()
            with pytest.raises(CancelledError, match="the client was closed") as caught:
                await sending
            assert not caught.value.definite
            assert len(server.seen(SendMessageRequest)) == 1

    run(main())


def test_nothing_begins_after_the_end():
    """Whoever still holds the client gets an answer from each of its calls, and waits for none of them."""

    async def main():
        client = Client("127.0.0.1:1", user="alice")
        await client.close()
        client.ack("lobby", 1)
        assert await client.flush_acks()
        for call in (
            client.send("lobby", "hi"),
            client.poll(),
            client.send_batch([Outgoing("lobby", "x")]),
            anext(client.receive()),
        ):
            with pytest.raises(CancelledError, match="the client was closed") as caught:
                await call
            assert caught.value.definite

    run(main())


def test_a_task_that_is_cancelled_is_cancelled():
    async def main():
        server = Scripted()
        server.sends = [silence]
        async with serving(server) as target, Client(target, user="alice") as client:
            sending = asyncio.create_task(client.send("lobby", "hi", within=15))
            await server.called(SendMessageRequest)
            sending.cancel()
            await asyncio.wait([sending])
            assert sending.cancelled()

    run(main())
