"""Backups, copies, damage and full disks: what is served is what was written, and whoever must know is told."""

import asyncio
import resource
import shutil
import sqlite3
from contextlib import closing

import grpc
import pytest
from click.testing import CliRunner
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chatsys.cli.backup import backup
from chatsys.cli.check import check
from chatsys.cli.restore import restore
from chatsys.client import Client, ResourceExhaustedError, UnavailableError
from chatsys.core.entry import CreateRoom, Send
from chatsys.core.model import Caller, Entry, History, Role
from chatsys.errors import Reason, Refusal
from chatsys.store import SqliteStore, StoreError, damage, life, schema
from chatsys.v1 import chat_pb2


def command(what, *words):
    result = CliRunner().invoke(what, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def filled(directory, messages=20):
    """A log with one room; returns its epoch."""

    async def work():
        store = SqliteStore.open(directory, "x")
        store.start(lambda _: True)
        members = (("alice", Role.WRITER), ("bob", Role.WRITER))
        root = Caller("root", admin=True)
        await store.submit(
            [CreateRoom(root, 1, "r", "", History.SINCE_JOIN, Entry.INVITE, members, True, "")]
        )
        await store.submit([Send("alice", 5, "r", b"x" * 300, "", f"i{n}") for n in range(messages)])
        store.close()
        return store.epoch

    return asyncio.run(work())


def epoch_of(directory):
    store = SqliteStore.open(directory, "x")
    store.close()
    return store.epoch


def change(directory, statement, *values):
    with closing(sqlite3.connect(directory / schema.FILE)) as log:
        log.execute(statement, values)
        log.commit()


def test_a_log_keeps_its_epoch_from_life_to_life(tmp_path):
    epoch = filled(tmp_path / "data")
    assert [epoch_of(tmp_path / "data") for _ in range(3)] == [epoch] * 3
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert epoch_of(tmp_path / "elsewhere") == epoch, "a directory that was moved is the same one"


def test_a_life_that_a_power_cut_interrupted_is_no_other_log(tmp_path):
    data = tmp_path / "data"
    epoch = filled(data)
    name = (data / life.FILE).read_text()
    with closing(sqlite3.connect(data / schema.FILE)) as log:
        (known,) = log.execute("SELECT value FROM meta WHERE key = 'life'").fetchone()
        # The next name was promised, and the file is not written yet; then it is, and the log does not know it.
        log.execute("INSERT INTO meta VALUES ('next_life', 'cafe')")
        log.commit()
    assert known.startswith(name)
    assert epoch_of(data) == epoch
    (data / life.FILE).write_text("feed")
    change(data, "INSERT INTO meta VALUES ('next_life', 'feed')")
    assert epoch_of(data) == epoch


@pytest.mark.parametrize("how", ["beside", "into"])
def test_an_older_copy_of_a_directory_gets_a_new_epoch(tmp_path, how):
    data, copied = tmp_path / "data", tmp_path / "copied"
    epoch = filled(data)
    shutil.copytree(data, copied)
    assert epoch_of(data) == epoch
    if how == "beside":
        shutil.rmtree(data)
        shutil.copytree(copied, data)
    else:  # the same files, overwritten
        for file in copied.iterdir():
            shutil.copy2(file, data / file.name)
    new = epoch_of(data)
    assert new != epoch
    assert epoch_of(data) == new


def test_an_older_database_beside_a_newer_life_gets_a_new_epoch(tmp_path):
    data = tmp_path / "data"
    epoch = filled(data)
    shutil.copy2(data / schema.FILE, tmp_path / "old")
    assert epoch_of(data) == epoch
    shutil.copy2(tmp_path / "old", data / schema.FILE)
    assert epoch_of(data) != epoch


def test_a_backup_of_a_running_server_is_restored_with_a_new_epoch(tmp_path, serving, play):
    server = serving(tmp_path / "data")

    async def before():
        async with Client(server.address, user="alice") as alice:
            await alice.create_room("r", members=["bob"])
            await alice.send("r", "kept", client_message_id="1")
            code, output = await asyncio.to_thread(command, backup, server.data, tmp_path / "backup")
            assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
            assert (code, output) == (0, f"2 entries in 1 room backed up to {tmp_path / 'backup'}\n")
            await alice.send("r", "lost", client_message_id="2")

    play(before())
    assert server.stop() == 0
    assert command(backup, server.data, tmp_path / "backup")[0] == 1, "a backup is never written over"
    assert command(restore, tmp_path / "backup", tmp_path / "restored")[0] == 0
    again = serving(tmp_path / "restored")
    assert again.ready["log_epoch"] != server.ready["log_epoch"]

    async def after():
        async with Client(again.address, user="bob") as bob:
            polled = await bob.poll()
            assert [m.content for d in polled.deltas for m in d.messages] == [b"kept"]

    play(after())


def test_clients_notice_that_the_log_was_set_back(tmp_path, serving, play):
    first = serving(tmp_path / "data")

    async def body():
        async with Client(first.address, user="bob") as bob, Client(first.address, user="alice") as alice:
            await alice.create_room("r", members=["bob"])
            await alice.send("r", "kept")
            await asyncio.to_thread(command, backup, first.data, tmp_path / "backup")
            await alice.send("r", "lost")
            polled = await bob.poll()
            assert not polled.epoch_changed
            first.kill()
            await asyncio.to_thread(command, restore, tmp_path / "backup", tmp_path / "restored")
            port = str(first.ready["port"])
            serve = [*first.process.args[:3], "--port", port, "--data", str(tmp_path / "restored")]
            process = await asyncio.create_subprocess_exec(*serve, stdout=asyncio.subprocess.PIPE)
            assert process.stdout is not None
            await process.stdout.readline()
            polled = await bob.poll()
            assert polled.epoch_changed
            assert [m.content for d in polled.deltas for m in d.messages] == [b"kept"]
            process.kill()
            await process.communicate()

    play(body())


def test_a_sound_log(tmp_path):
    filled(tmp_path)
    assert command(check, tmp_path) == (0, "21 entries in 1 room: sound\n")
    code, output = command(check, tmp_path / "nothing")
    assert code == 2
    assert "There is no log in" in output


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE entry SET body = CAST(body || 'x' AS BLOB) WHERE sequence = 4",
            "entry 4 of room 'r' is not as it was written",
        ),
        (
            "UPDATE entry SET body = 'a text' WHERE sequence = 4",
            "entry 4 of room 'r' is not as it was written",
        ),
        ("DELETE FROM entry WHERE sequence = 4", "room 'r' has entry 5 where 4 is due"),
        ("UPDATE room SET head = 30", "room 'r' ends at entry 21, and says 30"),
        ("UPDATE meta SET value = 3 WHERE key = 'position'", "is at position 4, beyond the end 3"),
        ("UPDATE entry SET actor_id = 'eve' WHERE sequence = 4", "says that it is entry 4 of room 'r'"),
        (
            "INSERT INTO cursor VALUES ('bob', '', 1, 99, 0)",
            "a cursor of 'bob' in room 'r' is beyond its end",
        ),
        ("INSERT INTO membership VALUES ('eve', 7, 1, 1, 1, 0)", "the membership of 'eve' in room None"),
        ("UPDATE entry SET room = 9 WHERE sequence = 21", "1 entries belong to no room"),
    ],
)
def test_what_check_finds(tmp_path, statement, sentence):
    filled(tmp_path)
    change(tmp_path, statement)
    code, output = command(check, tmp_path)
    assert code == 1
    assert sentence in output
    assert "damaged: restore a backup" in output
    with pytest.raises(StoreError, match=r"is damaged \(.*\) and is not served; see `chatsys check "):
        SqliteStore.open(tmp_path, "x")
    assert command(backup, tmp_path, tmp_path / "b")[0] == 1, "a damaged log is no backup"


def test_a_page_that_was_overwritten_is_found_before_anything_is_served(tmp_path):
    filled(tmp_path, 500)
    file = tmp_path / schema.FILE
    size = file.stat().st_size
    with file.open("r+b") as out:
        out.seek(size // 2 // 4096 * 4096)
        out.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match="is damaged"):
        SqliteStore.open(tmp_path, "x")
    assert command(check, tmp_path)[0] == 1


def test_a_log_that_was_repaired_is_served_again(tmp_path):
    filled(tmp_path)
    damage.mark(tmp_path, "something")
    with pytest.raises(StoreError, match=r"is damaged \(something\)"):
        SqliteStore.open(tmp_path, "x")
    assert command(check, tmp_path)[0] == 0
    SqliteStore.open(tmp_path, "x").close()


def test_an_altered_message_is_never_served(tmp_path):
    filled(tmp_path)

    async def work():
        change(tmp_path, "UPDATE entry SET body = CAST('nothing of the kind' AS BLOB) WHERE sequence = 4")
        store = SqliteStore.open(tmp_path, "x")
        store.start(lambda _: True)
        reads = store.reads()
        with pytest.raises(sqlite3.DatabaseError, match="entry 4 of room number 1") as caught:
            reads.page(1, 0, 1)
        refusal = store.could_not_read(caught.value)
        assert refusal.reason is Reason.LOG_CORRUPT
        for use in (store.reads, lambda: store.submit([])):
            with pytest.raises(Refusal, match="the server's log is damaged"):
                use()
        store.close()
        with pytest.raises(StoreError, match="is damaged"):
            SqliteStore.open(tmp_path, "x")

    asyncio.run(work())


def test_a_disk_that_is_full_loses_nothing_and_comes_back(tmp_path, serving, play):
    """A limit on the size of files stands for the disk: it needs no rights, and the server cannot tell."""
    server = serving()
    acknowledged = []

    async def body():
        async with Client(server.address, user="alice") as alice:
            await alice.create_room("r", members=["bob"])
            await alice.send("r", "before")
            acknowledged.append(b"before")
            limits = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
            full = (server.data / f"{schema.FILE}-wal").stat().st_size + 16_384
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (full, limits[1]))
            for n in range(100):
                text = f"{n}".encode().ljust(2_000, b".")
                try:
                    await alice.send("r", text, within=0.3)
                except (ResourceExhaustedError, UnavailableError):
                    break
                acknowledged.append(text)
            assert len(acknowledged) < 100
            with pytest.raises((ResourceExhaustedError, UnavailableError)):
                await alice.send("r", "x" * 20_000, within=0.3)
            async with Client(server.address, user="bob") as bob:  # reading goes on
                polled = await bob.poll()
                assert [m.content for d in polled.deltas for m in d.messages][
                    : len(acknowledged)
                ] == acknowledged
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limits)
            await alice.send("r", "after")
            acknowledged.append(b"after")

    play(body())
    server.kill()
    again = serving(server.data)

    async def after():
        async with Client(again.address, user="root") as root:
            messages, _ = await root.list_messages("r", limit=1000)
            stored = [m.content for m in messages]
            assert [each for each in stored if each in acknowledged] == acknowledged

    play(after())
    assert command(check, server.data)[0] == 0


def test_a_server_says_that_its_log_is_damaged(tmp_path, serving, stubs, play, refused):
    server = serving()

    async def body():
        async with stubs(server.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            await as_user("alice").send("r", "x")
            change(server.data, "UPDATE entry SET body = CAST(body || 'y' AS BLOB) WHERE sequence = 2")
            with refused("LOG_CORRUPT"):
                await as_user("bob").poll()
            with refused("LOG_CORRUPT"):
                await as_user("alice").send("r", "no more")
            with refused("LOG_CORRUPT"):
                await as_user("root").ListMessages(chat_pb2.ListMessagesRequest(room_id="r"))
        async with grpc.aio.insecure_channel(server.address) as channel:
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            while (await watch.read()).status != health_pb2.HealthCheckResponse.NOT_SERVING:
                pass
            watch.cancel()

    play(body())


def test_a_log_that_may_not_be_written_comes_back(tmp_path):
    """As when a file system was made read-only after a fault, and writable again."""

    filled(tmp_path)

    async def work():
        store = SqliteStore.open(tmp_path, "x")
        store.start(lambda _: True)
        store._writer._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(Refusal, match="cannot be written now; the outcome is unknown") as caught:
            await store.submit([Send("alice", 5, "r", b"x", "", "later")])
        assert (caught.value.reason, caught.value.transient) == (Reason.STORE_UNAVAILABLE, True)
        found = store.reads().room("r")
        assert found is not None
        assert found[1].head == 21
        store._writer._connection.execute("PRAGMA query_only = OFF")
        (sent,) = await store.submit([Send("alice", 5, "r", b"x", "", "later")])
        assert (sent.sequence, sent.duplicate) == (22, False)
        store.close()

    asyncio.run(work())
