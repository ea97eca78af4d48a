"""What any driver does with lines, right and wrong, before it has a server."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from harness.drivers.pipes import MAX_LINE, LineReader, LineWriter
from harness.drivers.request import BadRequestError, Request
from tests.drivers.talk import driver


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


def test_hello_comes_first_and_bye_ends_it():
    async def main():
        async with driver() as bob:
            assert await bob.do("bye") == {}
            assert await bob.left() == 0
        hello = bob.lines[0]
        assert hello["driver"].startswith("chatsys ")
        assert hello["protocol"] == 1
        assert {"stream", "poll", "ack", "position", "order", "rooms", "kick", "history"} <= set(
            hello["capabilities"]
        )

    run(main())


def test_the_end_of_standard_input_ends_it():
    async def main():
        async with driver() as bob:
            bob.process.stdin.close()
            assert await bob.left() == 0

    run(main())


BAD = {
    b"nonsense": (None, "the line is not JSON: nonsense"),
    b"[1]": (None, "a request is a JSON object, not [1]"),
    b'{"op": "send"}': (None, "a request needs a whole number as `id`"),
    b'{"id": 901}': (901, "a request needs an `op`"),
    b'{"id": 902, "op": "dance"}': (902, "no op is called `dance`"),
    b"[" * 100_000: (None, "the line is not JSON"),
    b"\xff\xfe": (None, "the line is not JSON"),
    b'{"id": 903, "op": "' + b"x" * MAX_LINE + b'"}': (None, "a request line is at most 1048576 bytes"),
}


def test_a_bad_line_gets_an_error_and_the_next_one_is_served():
    async def main():
        async with driver() as bob:
            await bob.next_line()
            for line, (number, sentence) in BAD.items():
                bob.write(line + b"\n")
                answer = await bob.next_line()
                assert answer["id"] == number
                assert answer["error"]["code"] == "INVALID_ARGUMENT"
                assert answer["error"]["definite"] is True
                assert answer["error"]["message"].startswith(sentence)
            await bob.do("setup", user="bob")

    run(main())


def test_requests_out_of_turn_are_refused_with_a_sentence():
    async def main():
        async with driver() as bob:
            refusals: list[tuple[str, dict[str, Any], str | None]] = [
                ("send", {}, "send: `setup` comes first"),
                ("setup", {}, "setup: `user` must be a string; it is missing"),
                (
                    "setup",
                    {"user": "bob", "receive": "radio"},
                    "setup: `receive` must be one of stream, poll, manual",
                ),
                ("setup", {"user": "bob"}, None),
                ("setup", {"user": "bob"}, "setup: it was done before"),
                ("send", {"room": "r", "message": "m", "text": "t"}, "send: the client is not connected"),
                ("disconnect", {}, "disconnect: the client is not connected"),
                ("connect", {}, "connect: `server` must be an object; it is missing"),
                ("connect", {"server": {"host": 5}}, "connect: `server` needs `host` and `port`"),
                ("fence", {"positions": []}, "fence: the client is not connected"),
            ]
            for op, fields, sentence in refusals:
                answer = await bob.ask(op, **fields)
                if sentence is None:
                    assert "ok" in answer
                else:
                    assert answer["error"]["message"].startswith(sentence)
                    assert answer["error"]["definite"] is True

    run(main())


def test_nobody_at_the_address():
    async def main():
        async with driver() as bob:
            await bob.do("setup", user="bob")
            answer = await bob.ask("connect", server={"host": "127.0.0.1", "port": 1}, within_ms=200)
            # Which of the two it is, a busy machine decides: refused, or out of time while it tries again.
            assert answer["error"]["code"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
            assert answer["error"]["definite"] is False

    run(main())


def test_without_drops_capabilities_and_refuses_what_they_stand_for():
    async def main():
        async with driver("--without", "history,kick,poll") as bob:
            answer = await bob.ask("setup", user="bob", receive="poll")
            assert answer["error"]["message"] == "setup: this driver lacks `poll`"
            await bob.do("setup", user="bob")
            for op in ("history", "kick"):
                answer = await bob.ask(op)
                assert (answer["error"]["code"], answer["error"]["reason"]) == (
                    "UNIMPLEMENTED",
                    "NO_CAPABILITY",
                )
        assert not {"history", "kick", "poll"} & set(bob.lines[0]["capabilities"])

    run(main())


def test_without_an_unknown_capability_is_wrong_usage():
    async def main():
        async with driver("--without", "telepathy") as bob:
            assert await bob.left() == 2
        assert bob.lines == []

    run(main())


def test_a_slow_reader_gets_every_line_in_order():
    async def main():
        reading, writing = os.pipe()
        writer = LineWriter(writing, on_gone=lambda: None)
        lines = [f"{number} {'x' * 1000}".encode() for number in range(1000)]
        for line in lines[:500]:
            writer.write(line)
        flushing = asyncio.create_task(writer.flushed())
        await asyncio.sleep(0)
        for line in lines[500:]:
            writer.write(line)
        assert not flushing.done()
        got, ended = [], asyncio.Event()
        reader = LineReader(reading, on_line=got.append, on_long=lambda: None, on_end=ended.set)
        reader.start()
        await flushing
        assert len(got) >= 400  # the rest of the 500 is in the pipe, which holds 64 KiB
        await writer.flushed()
        os.close(writing)
        await ended.wait()
        assert got == lines
        reader.stop()
        os.close(reading)

    run(main())


def test_a_gone_reader_is_noticed_and_nobody_waits_for_it():
    async def main():
        reading, writing = os.pipe()
        gone = asyncio.Event()
        writer = LineWriter(writing, on_gone=gone.set)
        os.close(reading)
        writer.write(b"x")
        await writer.flushed()
        assert gone.is_set()
        os.close(writing)

    run(main())


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda r: r.text("room"), "send: `room` must be a string; it is missing"),
        (lambda r: r.number("n"), "send: `n` must be a whole number, 0 or more; not -1"),
        (lambda r: r.flag("room2"), 'send: `room2` must be true or false; not "x"'),
        (lambda r: r.texts("n"), "send: `n` must be a list of strings; not -1"),
        (lambda r: r.sequences("acks"), 'send: `acks` must be an object {room: sequence}; not {"r": true}'),
        (lambda r: r.within, "send: `within_ms` must be a number above 0; not 0"),
    ],
)
def test_a_wrong_field_is_named(read, sentence):
    request = Request.parse(
        b'{"id": 1, "op": "send", "n": -1, "room2": "x", "acks": {"r": true}, "within_ms": 0}'
    )
    with pytest.raises(BadRequestError) as caught:
        read(request)
    assert caught.value.message == sentence
