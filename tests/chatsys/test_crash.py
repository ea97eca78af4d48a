"""kill -9 of a real server with sends under way: what was acknowledged is there, once, in one dense order."""

import asyncio
import contextlib

import grpc
import pytest

from chatsys.v1 import chat_pb2


@pytest.mark.parametrize("round_", range(3))
def test_nothing_that_was_acknowledged_is_lost(serving, stubs, play, round_):
    first = serving()
    acknowledged: dict[str, int] = {}

    async def before():
        async with stubs(first.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            enough = asyncio.Event()

            async def unary(lane):
                for n in range(100_000):
                    name = f"u{lane}-{n}"
                    answer = await as_user("alice").send("r", name, name)
                    acknowledged[name] = answer.message.sequence
                    if len(acknowledged) > 200 * (round_ + 1):
                        enough.set()

            async def batches():
                stream = as_user("bob").SendMessages()
                for batch in range(100_000):
                    names = [f"b{batch}-{n}" for n in range(10)]
                    requests = [
                        chat_pb2.SendMessageRequest(
                            room_id="r", content=name.encode(), client_message_id=name
                        )
                        for name in names
                    ]
                    await stream.write(chat_pb2.SendMessagesRequest(requests=requests))
                    answer = await stream.read()
                    if answer is grpc.aio.EOF:
                        return
                    for name, result in zip(names, answer.results, strict=True):
                        acknowledged[name] = result.response.message.sequence

            async def until_lost(work):
                with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    await work

            lanes = [asyncio.ensure_future(until_lost(unary(lane))) for lane in range(8)]
            lanes.append(asyncio.ensure_future(until_lost(batches())))
            await enough.wait()
            first.kill()
            await asyncio.gather(*lanes)

    play(before())
    second = serving(first.data)
    assert second.ready["log_epoch"] == first.ready["log_epoch"]

    async def after():
        async with stubs(second.address) as as_user:
            stored: dict[str, int] = {}
            token = ""
            sequences = []
            while True:
                page = await as_user("root").ListMessages(
                    chat_pb2.ListMessagesRequest(room_id="r", page_size=1000, page_token=token)
                )
                for message in page.messages:
                    name = message.content.decode()
                    assert name not in stored, "stored twice"
                    stored[name] = message.sequence
                    sequences.append(message.sequence)
                token = page.next_page_token
                if not token:
                    break
            assert sequences == list(range(2, 2 + len(sequences))), "dense"
            assert {name: stored.get(name) for name in acknowledged} == acknowledged
            name, sequence = next(iter(acknowledged.items()))
            sender = "alice" if name.startswith("u") else "bob"
            again = await as_user(sender).send("r", name, name)
            assert (again.duplicate, again.message.sequence) == (True, sequence)

    play(after())
