"""A run that stands still is a result: it says what was waited for, and keeps where every process stood."""

import asyncio
import json

import pytest

from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
from harness.run import watch
from harness.run.own import preload
from harness.run.play import play
from harness.run.settings import CouldNotRunError, Settings
from harness.run.sightings import Sightings
from harness.source import compile_plan

SCENARIO = """
scenario: It stands still
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: [alice, bob]
  - send: hello
    from: alice
    id: hello
  - expect: hello
    received_by: bob
"""


async def never(*_):
    await asyncio.Event().wait()


def test_a_hang_ends_the_run_with_its_wait_and_stacks(tmp_path, monkeypatch):
    plan, _ = compile_plan(SCENARIO, "still.yaml", "still")
    assert plan is not None
    monkeypatch.setattr(Sightings, "wait", never)
    # The deadlines of connect and of the server's start, 20 s together, are not waited out here.
    monkeypatch.setattr(watch, "PATIENCE_S", -17.0)

    async def run():
        keeper = Keeper(launch("test-watch", preload(None, None)))
        try:
            await keeper.attach()
            with pytest.raises(CouldNotRunError) as caught:
                await play(plan, tmp_path, keeper, Settings(), row="row")
        finally:
            await keeper.close()
        return caught.value

    told = asyncio.run(run())
    assert told.sentence.startswith("nothing happened for 3 s; waited for ")
    assert "`expect` of script (line 10) since " in told.sentence
    log = (tmp_path / "logs" / "hang.log").read_text()
    assert "waited for: `expect` of script (line 10)" in log
    assert "in never" in log, "the task that hangs"
    assert "bob (pid " in log
    assert "wchan" not in log
    for name in ("server", "alice", "bob", "harness"):
        assert f"its own log, {name}.log" in log
        assert "most recent call first" in (tmp_path / "logs" / f"{name}.log").read_text()
    ops = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()[1:]]
    assert {op["process"] for op in ops if op["f"] == "exit"} == {"server", "alice", "bob", "harness"}
    assert [op["value"]["processes"] for op in ops if op["f"] == "leftovers"] == [[]]
