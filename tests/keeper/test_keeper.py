"""The keeper owns every process: it starts them, reports their ends, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from harness.keeper.children import SpawnError, spawn
from harness.keeper.handle import CommandError, Exit, Keeper, KeeperError
from harness.keeper.launch import launch
from tests.support import members, until

PYTHON = sys.executable


@asynccontextmanager
async def running(*preload):
    keeper = Keeper(launch(f"test-{os.urandom(6).hex()}", preload))
    try:
        await keeper.attach()
        yield keeper
    finally:
        await keeper.close()


async def start(keeper, *command, name="child", **options):
    """Spawn with pipes; return (child, file of its output)."""
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        child = await keeper.spawn(name, command=command, stdio=(null, writing, null), **options)
    finally:
        os.close(writing)
        os.close(null)
    return child, os.fdopen(reading, "rb")


def test_a_command_runs_with_its_output_environment_and_exit_code():
    async def scenario():
        async with running() as keeper:
            script = "import os; print(os.environ['COLOUR'], os.environ['CHATSIM_RUN']); raise SystemExit(7)"
            child, output = await start(keeper, PYTHON, "-c", script, environment={"COLOUR": "blue"})
            with output:
                assert output.read() == f"blue {keeper.run}\n".encode()
            assert await child.wait(5) == Exit(7, None)

    asyncio.run(scenario())


def test_a_forked_entry_gets_its_arguments_and_its_result_is_the_exit_code(tmp_path, monkeypatch):
    (tmp_path / "entry_for_test.py").write_text(
        "import sys, threading\n"
        "def main(args):\n"
        "    print(args, sys.argv[1:], threading.active_count(), flush=True)\n"
        "    return 3\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def scenario():
        async with running("entry_for_test") as keeper:
            reading, writing = os.pipe()
            child = await keeper.spawn(
                "x", module="entry_for_test", arguments=["a", "b"], stdio=(0, writing, 2)
            )
            os.close(writing)
            with os.fdopen(reading, "rb") as output:
                assert output.read() == b"['a', 'b'] ['a', 'b'] 1\n"
            assert await child.wait(5) == Exit(3, None)

    asyncio.run(scenario())


def test_a_module_is_rehearsed_before_the_first_fork_and_each_child_has_its_own_randomness(
    tmp_path, monkeypatch
):
    (tmp_path / "rehearsed_for_test.py").write_text(
        "import os, random\n"
        "rehearsed = []\n"
        "def rehearse():\n"
        "    rehearsed.append(os.getpid())\n"
        "def main(args):\n"
        "    print(rehearsed == [os.getppid()], random.random(), flush=True)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def scenario():
        async with running("rehearsed_for_test") as keeper:
            said = []
            for _ in range(2):
                child, output = await start(keeper, module="rehearsed_for_test")
                with output:
                    said.append(output.read().split())
                assert await child.wait(5) == Exit(0, None)
            assert [rehearsed for rehearsed, _ in said] == [b"True", b"True"]
            assert said[0] != said[1]

    asyncio.run(scenario())


def test_an_entry_that_raises_says_so_and_never_returns_into_the_keeper(tmp_path, monkeypatch):
    (tmp_path / "entry_that_raises.py").write_text("def main(args):\n    raise KeyError('lost')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async def scenario():
        async with running("entry_that_raises") as keeper:
            reading, writing = os.pipe()
            child = await keeper.spawn("x", module="entry_that_raises", stdio=(0, 1, writing))
            os.close(writing)
            with os.fdopen(reading, "rb") as errors:
                assert b"KeyError: 'lost'" in errors.read()
            assert await child.wait(5) == Exit(70, None)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("command", "reason"),
    [("/no/such/program", "No such file or directory"), ("/etc/passwd", "Permission denied")],
)
def test_a_command_that_cannot_be_executed_is_named_with_the_reason(command, reason):
    async def scenario():
        async with running() as keeper:
            with pytest.raises(CommandError, match=f"{command}: {reason}"):
                await start(keeper, command)

    asyncio.run(scenario())


def test_a_signal_reaches_the_whole_group_and_the_end_says_which():
    async def scenario():
        async with running() as keeper:
            script = (
                "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
            )
            child, output = await start(keeper, PYTHON, "-c", script)
            with output:
                grandchild = int(output.readline())
            assert await child.signal(signal.SIGKILL)
            assert await child.wait(5) == Exit(None, signal.SIGKILL)
            until(lambda: not psutil.pid_exists(grandchild), "the grandchild's end")
            assert not await child.signal(signal.SIGKILL)
            assert str(Exit(None, 9)) == "killed by SIGKILL"

    asyncio.run(scenario())


def test_a_row_is_swept_of_what_got_away_and_other_rows_are_left_alone():
    script = (
        "import subprocess; p = subprocess.Popen(['sleep', '61'], start_new_session=True); "
        "print(p.pid, flush=True)"
    )

    async def scenario():
        async with running() as keeper:
            strays = []
            for row in ("one", "two"):
                child, output = await start(keeper, PYTHON, "-c", script, environment={"CHATSIM_ROW": row})
                with output:
                    strays.append(int(output.readline()))
                assert await child.wait(5) == Exit(0, None)
            assert await keeper.sweep("one") == [(strays[0], "sleep 61")]
            assert not psutil.pid_exists(strays[0])
            assert psutil.pid_exists(strays[1])
            assert await keeper.close() == [(strays[1], "sleep 61")]
            assert not psutil.pid_exists(strays[1])

    asyncio.run(scenario())


def test_close_removes_the_scratch_directory_and_everything_in_it():
    async def scenario():
        async with running() as keeper:
            scratch = keeper.scratch
            (scratch / "data").mkdir()
            (scratch / "data" / "file").write_text("x")
        assert not scratch.exists()
        assert not members(keeper.run)

    asyncio.run(scenario())


HARBOUR = """
import asyncio, os, sys
from harness.keeper.handle import Keeper
from harness.keeper.launch import launch
async def main():
    keeper = Keeper(launch(sys.argv[1]))
    await keeper.attach()
    null = os.open(os.devnull, os.O_RDWR)
    script = (
        "import subprocess, signal; signal.signal(15, 1); "
        "subprocess.Popen(['sleep', '62'], start_new_session=True).wait()"
    )
    for number in range(3):
        await keeper.spawn(str(number), command=[sys.executable, "-c", script], stdio=(null, null, null))
    print(keeper.scratch, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_kill_9_of_chatsim_leaves_no_process_and_no_directory():
    run = f"test-{os.urandom(6).hex()}"
    with subprocess.Popen([PYTHON, "-c", HARBOUR, run], stdout=subprocess.PIPE, text=True) as parent:
        scratch = Path(parent.stdout.readline().strip())
        until(lambda: len(members(run)) >= 7, "keeper, three children and their three orphans-to-be")
        parent.kill()
        parent.wait()
        until(lambda: not members(run), "the end of every process of the run", 2.0)
        assert not scratch.exists()


def test_a_module_that_cannot_be_imported_is_reported_in_one_line():
    async def scenario():
        keeper = Keeper(launch("test-broken", ["no_such_module_at_all"]))
        with pytest.raises(KeeperError, match="No module named 'no_such_module_at_all'"):
            await keeper.attach()
        keeper.abandon()

    asyncio.run(scenario())


@pytest.mark.parametrize("call", ["fork", "pipe2"])
def test_no_more_processes_or_descriptors_is_said_of_the_one_that_was_asked_for(monkeypatch, call):
    def refuse(*_):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    before = sum(1 for _ in Path("/proc/self/fd").glob("*"))
    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(SpawnError, match="Resource temporarily unavailable"):
        spawn({"argv": ["true"]}, (0, 1, 2))
    assert sum(1 for _ in Path("/proc/self/fd").glob("*")) == before


def test_a_fork_that_fails_names_its_module(monkeypatch):
    async def scenario():
        async with running() as keeper:

            async def ask(do, *_fds, **_fields):
                return {"error": "Resource temporarily unavailable"} if do == "spawn" else await real(do)

            real = keeper.ask
            monkeypatch.setattr(keeper, "ask", ask)
            with pytest.raises(CommandError, match=r"^a\.module: Resource temporarily unavailable$"):
                await keeper.spawn("child", module="a.module", stdio=(0, 1, 2))
            monkeypatch.undo()

    asyncio.run(scenario())
