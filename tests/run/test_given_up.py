"""A run that is given up while it begins takes down what it started, and says nothing of what fails on the way."""

import asyncio
import os
import shlex

import pytest

from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
from harness.run.own import preload
from harness.run.play import play
from harness.run.settings import Settings
from harness.source import compile_plan
from tests.support import members, until

SCENARIO = """
scenario: Nobody gets that far
clients: [alice]
rooms: {lobby: [alice]}
steps:
  - connect: alice
"""


def test_a_run_that_is_cancelled_before_the_server_is_ready_ends_without_a_complaint(tmp_path):
    plan, _ = compile_plan(SCENARIO, "early.yaml", "early")
    assert plan is not None
    begun = tmp_path / "begun"
    server = shlex.join(["sh", "-c", f"touch {begun}; exec sleep 600 # {{port}}"])
    complaints = []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        keeper = Keeper(launch(f"test-{os.urandom(6).hex()}", preload(None, None)))
        try:
            await keeper.attach()
            playing = asyncio.create_task(play(plan, tmp_path, keeper, Settings(server=server), row="row"))
            await asyncio.to_thread(until, begun.exists, "the server's process to begin")
            playing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await playing
        finally:
            await keeper.close()
        return keeper.run

    keeper_run = asyncio.run(run())  # collects what is left of all tasks
    assert complaints == []
    until(lambda: not members(keeper_run), "all processes to be gone")
