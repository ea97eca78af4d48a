"""Whatever a driver does, a request ends and a sentence names the driver and the line."""

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
from harness.run.driver import Driver
from harness.run.settings import CouldNotRunError

HELLO = (
    'print(\'{"event": "hello", "driver": "toy 1", "protocol": 1, "capabilities": ["poll"]}\', flush=True)\n'
)
ECHO = "import json, sys\n" + HELLO


@asynccontextmanager
async def driver(tmp_path, script, events=None):
    keeper = Keeper(launch("test-driver"))
    try:
        await keeper.attach()
        events = events if events is not None else []
        made = await Driver.start(
            "bob", keeper, [sys.executable, "-c", script], tmp_path / "bob.log", "row", events.append
        )
        yield made
        made.close()
    finally:
        await keeper.close()


def outcome(tmp_path, script, ask=None, events=None):
    async def scenario():
        async with driver(tmp_path, script, events) as made:
            return await ask(made) if ask else made

    return asyncio.run(scenario())


def test_hello_tells_what_it_can(tmp_path):
    async def look(made):
        return made.title, made.capabilities

    assert outcome(tmp_path, ECHO, look) == ("toy 1", frozenset({"poll"}))


def test_requests_may_be_answered_in_any_order(tmp_path):
    script = ECHO + (
        "a, b = (json.loads(sys.stdin.readline()) for _ in range(2))\n"
        "for r in (b, a):\n"
        "    print(json.dumps({'id': r['id'], 'ok': {'op': r['op']}, 't': 7}), flush=True)\n"
        "sys.stdin.read()\n"
    )

    async def ask(made):
        return await asyncio.gather(made.ask("connect", 2), made.ask("send", 2))

    first, second = outcome(tmp_path, script, ask)
    assert (first.ok, second.ok, first.t) == ({"op": "connect"}, {"op": "send"}, 7)


def test_a_driver_that_dies_answers_with_how_it_ended(tmp_path):
    async def ask(made):
        return await made.ask("connect", 5)

    reply = outcome(tmp_path, ECHO + "sys.stdin.readline(); sys.exit(9)", ask)
    assert reply.error["reason"] == "DRIVER_GONE"
    assert "exit 9" in reply.error["message"]
    assert not reply.definite


def test_a_silent_driver_is_given_up_after_the_deadline(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.run.driver.GRACE_S", 0.05)

    async def ask(made):
        return await made.ask("send", 0.05)

    reply = outcome(tmp_path, ECHO + "sys.stdin.read()", ask)
    assert reply.error["reason"] == "DRIVER_SILENT"
    assert "did not answer `send`" in reply.error["message"]


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (
            "print('connected!')",
            "line 2 of the driver is not JSON: 'connected!'. A log line belongs on standard",
        ),
        ("print('[' * 99999)", "line 2 of the driver is not JSON"),
        ('print(\'{"id": 1, "ok": 5}\')', "has an `ok` or `error` that is not an object"),
        ('print(\'{"id": 1, "error": null}\')', "has an `ok` or `error` that is not an object"),
        ("print('[1]')", "line 2 of the driver is not an object: '[1]'"),
        ('print(\'{"id": 99, "ok": {}}\')', "answers a request that was never made"),
        ('print(\'{"id": 1, "ok": {}, "error": {}}\')', "has not exactly one of `ok` and `error`"),
        ('print(\'{"event": "hello", "protocol": 1}\')', "is a second hello"),
        ("sys.stdout.write('x' * 3_000_000)", "is longer than 1048576 bytes"),
        ("sys.stdout.write('{\"id\": 1, ')", "ended in the middle: '{\"id\": 1, '"),
    ],
)
def test_a_line_that_breaks_the_protocol_is_quoted(tmp_path, says, sentence):
    async def ask(made):
        asking = asyncio.ensure_future(made.ask("connect", 5))
        await asyncio.wait([made.fault], timeout=5)
        asking.cancel()
        return made.fault.result()

    script = ECHO + f"sys.stdin.readline(); {says}; sys.stdout.flush()"
    assert sentence in outcome(tmp_path, script, ask)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("raise SystemExit('no licence')", "the driver of bob ended before it said hello"),
        ("print('hi')", "bob: line 1 of the driver is not JSON: 'hi'"),
        (
            'print(\'{"event": "hello", "protocol": 1, "capabilities": 5}\')',
            "the hello of bob has no list of `capabilities`: 5",
        ),
        ('print(\'{"event": "hello", "protocol": 2}\')', "speaks protocol 2; chatsim speaks 1"),
    ],
)
def test_a_driver_without_a_proper_hello_cannot_be_used(tmp_path, script, sentence):
    with pytest.raises(CouldNotRunError) as caught:
        outcome(tmp_path, script)
    assert sentence in caught.value.sentence
    if "licence" in script:
        assert caught.value.last_lines == ("no licence",)
        assert caught.value.ending == "exit 1"


def test_an_event_with_a_missing_field_is_a_fault_of_the_driver(tmp_path):
    class Strict(list):
        def append(self, event):
            event["message"]["room"]

    script = ECHO + 'print(\'{"event": "deliver"}\', flush=True); sys.stdin.read()'

    async def ask(made):
        await asyncio.wait([made.fault], timeout=5)
        return made.fault.result()

    assert "lacks or garbles a field (KeyError: 'message')" in outcome(tmp_path, script, ask, Strict())


@pytest.mark.parametrize("number", ["null", '"1"', "0", "-1", "7", "1.0", "true", "[1]", "{}"])
def test_an_answer_to_nobody_is_a_fault(tmp_path, number):
    async def ask(made):
        asking = asyncio.ensure_future(made.ask("connect", 5))
        await asyncio.wait([made.fault], timeout=5)
        asking.cancel()
        return made.fault.result()

    script = (
        ECHO
        + f'sys.stdin.readline(); print(\'{{"id": {number}, "ok": {{}}}}\', flush=True); sys.stdin.read()'
    )
    assert "answers a request that was never made" in outcome(tmp_path, script, ask)


def test_an_answer_written_in_the_hour_of_death_counts(tmp_path):
    async def ask(made):
        first = await made.ask("connect", 5)
        await made.child.ended
        return first, await made.ask("send", 60)

    script = ECHO + 'sys.stdin.readline(); print(\'{"id": 1, "ok": {"a": 1}}\', flush=True)'
    first, second = outcome(tmp_path, script, ask)
    assert first.ok == {"a": 1}
    assert second.error["reason"] == "DRIVER_GONE", "nobody waits a minute for the dead"


def test_a_late_answer_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.run.driver.GRACE_S", 0.0)
    script = ECHO + (
        "sys.stdin.readline(); sys.stdin.readline()\n"
        'for n in (1, 2, 2, 1): print(\'{"id": %d, "ok": {}}\' % n, flush=True)\n'
        'print(\'{"event": "last"}\', flush=True); sys.stdin.read()'
    )
    heard = asyncio.Event()

    class Events(list):
        def append(self, _event):
            heard.set()

    async def ask(made):
        early = await made.ask("connect", 0.05)
        late = await made.ask("send", 5)
        await asyncio.wait_for(heard.wait(), 5)
        return early, late, made.fault.done()

    early, late, faulty = outcome(tmp_path, script, ask, Events())
    assert early.error["reason"] == "DRIVER_SILENT"
    assert late.ok == {}
    assert not faulty


def test_a_line_of_a_hundred_megabytes_is_not_kept(tmp_path):
    async def ask(made):
        await asyncio.wait([made.fault], timeout=20)
        return made.fault.result()

    script = ECHO + "\nfor _ in range(100): sys.stdout.write('x' * 1_000_000)"
    assert outcome(tmp_path, script, ask) == "line 1 of the driver is longer than 1048576 bytes"


def test_a_driver_that_says_nothing_at_all_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.run.driver.HELLO_S", 0.2)
    with pytest.raises(CouldNotRunError) as caught:
        outcome(tmp_path, "import sys; sys.stdin.read()")
    assert caught.value.sentence == "the driver of bob did not say hello within 0.2 s"
    assert caught.value.ending == "still running"
