"""Faults on the server's disk, done to a real process and to real files."""

import asyncio
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.keeper import linux
from harness.model.disk import DiskFull, ReadOnly
from harness.run import disk
from harness.run.disk import Disk, obstacle
from harness.run.means import NotDoneError

WRITER = """
import sys
for path in sys.stdin:
    try:
        with open(path.strip(), "ab", 0) as file:
            file.write(b"x")
        print("written", flush=True)
    except OSError as fault:
        print(type(fault).__name__, flush=True)
"""


def home(**fields):
    """What the faults need to know of a server."""
    return SimpleNamespace(**fields)


@pytest.fixture
def writer():
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def write(process, path):
    process.stdin.write(f"{path}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_full_disk_takes_no_byte_until_the_last_fault_is_healed(writer, tmp_path):
    async def scenario():
        server = home(pid=writer.pid, data=tmp_path)
        faults = Disk(server)
        assert write(writer, tmp_path / "a") == "written"
        assert await faults.begin(DiskFull(targets=("server",), id="one"), 1.0) == {"processes": 1}
        await faults.begin(DiskFull(targets=("server",), id="two"), 1.0)
        assert write(writer, tmp_path / "a") == "OSError"
        assert await faults.end("one", ["server"], 1.0) == {"processes": 0}
        assert write(writer, tmp_path / "b") == "OSError"
        assert await faults.end("two", ["server"], 1.0) == {"processes": 1}
        assert write(writer, tmp_path / "a") == "written"
        assert (tmp_path / "a").read_bytes() == b"xx"

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_the_next_life_of_the_server_finds_the_disk_full_too(writer, tmp_path):
    async def scenario():
        server = home(pid=None, data=tmp_path)
        faults = Disk(server)
        assert await faults.begin(DiskFull(targets=("server",), id="one"), 1.0) == {"processes": 0}
        server.pid = writer.pid
        server.on_spawn()
        assert write(writer, tmp_path / "a") == "OSError"
        await faults.end("one", ["server"], 1.0)
        assert write(writer, tmp_path / "a") == "written"

    asyncio.run(scenario())


def test_a_read_only_directory_gets_back_what_could_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "obstacle", lambda _: "")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "log").write_text("kept")
    (tmp_path / "locked").write_text("never writable")
    (tmp_path / "locked").chmod(0o400)

    def modes():
        return {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}

    async def scenario():
        before = modes()
        faults = Disk(home(pid=None, data=tmp_path))
        assert await faults.begin(ReadOnly(targets=("server",), id="locked"), 1.0) == {"files": 3}
        assert not any(mode & 0o222 for mode in modes().values())
        await faults.end("locked", ["server"], 1.0)
        assert modes() == before

    asyncio.run(scenario())


def test_root_cannot_be_kept_from_writing_and_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(linux, "overrides_permissions", lambda _: True)
    assert obstacle("read_only").startswith("root may write anywhere, so it takes another user")
    with pytest.raises(NotDoneError, match="not possible here: root may write anywhere"):
        asyncio.run(Disk(home(pid=None, data=tmp_path)).begin(ReadOnly(targets=("server",), id="x"), 1.0))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "only Linux" in obstacle("disk_full")
