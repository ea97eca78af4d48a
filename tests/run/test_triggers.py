"""Steps that wait until something has been seen."""

import asyncio
import json

import pytest

from harness.model.plan import Plan
from harness.run.clock import Clock
from harness.run.recorder import Recorder
from harness.run.triggers import Triggers
from harness.source import compile_plan
from harness.verbs.stage import StepFailedError

SOURCE = """
scenario: Made for a test
clients: [alice, bob, chad]
rooms: {lobby: [alice, bob, chad]}
steps:
  - connect: [alice, bob, chad]
  - send: "${n}"
    from: alice
    id: line
    repeat: 5
  - {wait: 1s, when: %s}
"""


def waiting(tmp_path, when, speed=None):
    plan, found = compile_plan(SOURCE % when, "made.yaml", "made")
    assert plan is not None, found
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    recorder, clock = Recorder(tmp_path / "history.jsonl", "run"), Clock(speed)
    return plan.steps[-1], recorder, clock, Triggers(plan, recorder, clock, lambda: "online: alice")


def send(recorder, number, how="ok"):
    op = recorder.invoke("alice", "send", {"id": f"line.{number}"})
    if how:
        recorder.complete(op, how)


def deliver(recorder, who, number):
    recorder.note(who, "deliver", {"id": f"line.{number}"})


def test_it_waits_for_so_many_and_counts_each_message_once(tmp_path):
    async def scenario():
        step, recorder, _, triggers = waiting(tmp_path, "{answered: line, count: 2}")
        task = asyncio.ensure_future(triggers.wait(step))
        for number, how in ((1, "ok"), (1, "ok"), (2, ""), (3, "info")):
            send(recorder, number, how)
        await asyncio.sleep(0)
        assert not task.done()
        send(recorder, 4, "fail")  # an answer, if not a good one
        await task
        recorder.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("when", "last"),
    [
        ("{received: line, by: [bob, chad], count: 2}", ("chad", 5)),
        ("{received: line, count: 3}", ("chad", 3)),
    ],
)
def test_received_by_each_and_by_anybody(tmp_path, when, last):
    async def scenario():
        step, recorder, _, triggers = waiting(tmp_path, when)
        task = asyncio.ensure_future(triggers.wait(step))
        deliver(recorder, "bob", 1)
        deliver(recorder, "bob#2", 2)
        deliver(recorder, "chad", 1)
        await asyncio.sleep(0)
        assert not task.done()
        deliver(recorder, *last)
        await task
        recorder.close()

    asyncio.run(scenario())


def test_in_vain_it_says_what_it_waited_for_what_came_and_who_was_there(tmp_path):
    async def scenario():
        step, recorder, _, triggers = waiting(tmp_path, "{sent: line.*, within: 10ms}")
        send(recorder, 1, "")
        with pytest.raises(StepFailedError) as failed:
            await triggers.wait(step)
        assert str(failed.value) == (
            "waited 10 ms for 5 of `line.*` to be sent: 1 came, the last `line.1`; online: alice"
        )
        recorder.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("seen", [True, False])
def test_a_lane_that_waits_does_not_hold_the_clock_and_counts_from_the_moment_it_has_seen_enough(
    tmp_path, seen
):
    async def scenario():
        step, recorder, clock, triggers = waiting(tmp_path, "{sent: line.1}")
        clock.enter()  # a second lane
        task = asyncio.ensure_future(triggers.wait(step))
        await asyncio.sleep(0)
        await clock.pause(3600 * 10**9)  # jumps
        if seen:
            send(recorder, 1, "")
            await task
        else:
            task.cancel()
            await asyncio.wait([task])
        clock.leave()
        begun = clock.now()
        await clock.pause(3600 * 10**9)
        assert clock.now() - begun >= 3600 * 10**9
        recorder.close()

    asyncio.run(scenario())
