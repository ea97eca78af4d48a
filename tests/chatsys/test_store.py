"""The log: durable before it is told, dense after a failure, one owner."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from chatsys.core.entry import Ack, Add, CreateRoom, Delete, Remove, Send, Trim, Update
from chatsys.core.model import Caller, Entry, History, Role
from chatsys.core.outcome import Acked, Sent
from chatsys.errors import Reason, Refusal
from chatsys.store import Chain, SqliteStore, StoreError, schema, writer
from chatsys.store.group import Group
from chatsys.v1 import types_pb2

ROOT = Caller("root", admin=True)


def creation(room="r", members=("alice", "bob")):
    roles = tuple((name, Role.WRITER) for name in members)
    return CreateRoom(ROOT, 1, room, "", History.SINCE_JOIN, Entry.INVITE, roles, True, "")


def send(text, client_id="", sender="alice", room="r"):
    return Send(sender, 1_500_000, room, text.encode(), "", client_id)


class Store(SqliteStore):
    """Remembers what it published."""

    def __init__(self, *given):
        super().__init__(*given)
        self.groups: list[Group] = []

    def publish(self, group):
        self.groups.append(group)
        return True


@asynccontextmanager
async def opened(directory):
    store = Store.open(directory, "the test")
    store.start(store.publish)
    try:
        yield store
    finally:
        store.close()


def sequences(outcomes):
    return [each.sequence for each in outcomes]


def stored_texts(store, room="r"):
    reads = store.reads()
    number, _ = reads.room(room)
    messages = [row for row in reads.entries(number, 0, 10_000) if row.kind == 2]
    return [types_pb2.Message.FromString(row.body).content.decode() for row in messages]


def test_what_was_stored_is_there_again(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation(), send("a", "i"), send("b")])
            epoch, position = store.epoch, store.groups[-1].position
        async with opened(tmp_path) as store:
            assert (store.epoch, store.position) == (epoch, position) == (epoch, 5)
            assert stored_texts(store) == ["a", "b"]
            again, other, new = await store.submit([send("a", "i"), send("b", "i"), send("c")])
            assert again == Sent(2, 1_500_000, duplicate=True)
            assert other.reason is Reason.CLIENT_MESSAGE_ID_REUSED
            assert new == Sent(4, 1_500_000, duplicate=False)

    asyncio.run(work())


def test_a_message_is_stored_as_it_is_sent_on(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation(), send("hello", "i")])
            (row,) = store.reads().entries(1, 1, 10)
            message = types_pb2.Message.FromString(row.body)
            assert message == types_pb2.Message(
                room_id="r",
                sequence=2,
                sender_id="alice",
                content=b"hello",
                client_message_id="i",
                create_time=Timestamp(seconds=1, nanos=500_000_000),
            )

    asyncio.run(work())


def test_news_are_told_before_the_answer_and_after_the_commit(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            other = sqlite3.connect(tmp_path / schema.FILE)
            await store.submit([creation()])
            future = store.submit([send("a"), Ack("bob", "", (("r", 2),))])
            await future
            group = store.groups[-1]
            assert group.heads == {"r": 2}
            assert group.cursors == (("r", "bob", "", 2),)
            assert other.execute("SELECT max(sequence) FROM entry").fetchone() == (2,)
            other.close()

    asyncio.run(work())


def test_many_that_come_at_once_share_commits(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation()])
            before = len(store.groups)
            await asyncio.gather(*(store.submit([send(str(n))]) for n in range(500)))
            assert len(store.groups) - before < 50
            assert [int(t) for t in stored_texts(store)] == list(range(500))

    asyncio.run(work())


def test_a_commit_that_fails_leaves_no_trace(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation(), send("a")])
            writing = store._writer._connection
            pages = writing.execute("PRAGMA page_count").fetchone()[0]
            writing.execute(f"PRAGMA max_page_count = {pages}")  # the disk is full
            chain = Chain()
            lost = store.submit([send("x" * 60_000, "big")], chain)
            behind = store.submit([send("behind")], chain)
            with pytest.raises(Refusal) as caught:
                await lost
            assert caught.value.reason is Reason.STORE_FULL
            assert caught.value.transient
            with pytest.raises(Refusal, match=r"not stored|nothing was stored"):
                await behind
            writing.execute("PRAGMA max_page_count = 1000000")
            with pytest.raises(Refusal, match="an earlier message of this stream was not stored"):
                await store.submit([send("still behind")], chain)
            assert sequences(await store.submit([send("b"), send("x" * 60_000, "big")])) == [3, 4]
            assert [text[:1] for text in stored_texts(store)] == ["a", "b", "x"]

    asyncio.run(work())


def test_what_is_submitted_before_the_end_is_written_and_what_comes_after_it_is_refused(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation()])
            before = store.submit([send("a")])
        with pytest.raises(Refusal, match="the log is closed"):
            store.submit([send("b")])
        assert sequences(await before) == [2]

    asyncio.run(work())


@pytest.mark.parametrize("sender", ["alice", "a stranger"])
def test_what_was_decided_does_not_stay_in_memory(tmp_path, sender):
    gone = threading.Event()

    class Content(bytes):
        __slots__ = ()

        def __del__(self):
            gone.set()

    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation()])
            (outcome,) = await store.submit([send("", sender=sender)._replace(content=Content(b"a" * 1_000))])
            # The writer's thread drops the last of it after it has told us; and we keep no more than the outcome.
            assert await asyncio.to_thread(gone.wait, 10)
            assert isinstance(outcome, Sent | Refusal)

    asyncio.run(work())


def test_a_fault_in_deciding_costs_one_entry(tmp_path, caplog):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation()])
            bad = send("x")._replace(content=None)
            good, bug, after = await store.submit([send("a", "i"), bad._replace(room_id=["r"]), send("b")])
            assert bug.reason is Reason.BUG
            assert bug.metadata["error_id"] in caplog.text
            assert sequences([good, after]) == [2, 3]

    asyncio.run(work())


def test_a_snapshot_lasts_one_turn(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation()])
            reads = store.reads()
            page = reads.page(1, 0, 1)
            assert reads.page(1, 0, 1) is page, "readers of one turn share it"
            await store.submit([send("a")])
            assert store.reads().page(1, 0, 1).through == 2

    asyncio.run(work())


def test_one_owner_for_one_directory(tmp_path):
    owner = SqliteStore.open(tmp_path, "the test")
    with pytest.raises(StoreError, match="in use by the test; stop that server"):
        SqliteStore.open(tmp_path, "another")
    code = f"import chatsys.store as s, pathlib; s.SqliteStore.open(pathlib.Path({str(tmp_path)!r}), 'x')"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "in use by the test" in other.stderr
    owner.close()
    SqliteStore.open(tmp_path, "the next one").close()


def test_what_is_no_log_is_refused(tmp_path):
    (tmp_path / schema.FILE).write_text("this is not a database, it is a text of some length" * 20)
    with pytest.raises(StoreError, match=r"cannot be opened: file is not a database; move it away"):
        SqliteStore.open(tmp_path, "x")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StoreError, match=r"cannot be used: .*; name another with --data"):
        SqliteStore.open(file, "x")


def test_a_log_of_another_format_is_refused(tmp_path):
    schema.create(tmp_path / schema.FILE, "0" * 16)
    connection = schema.open_writer(tmp_path / schema.FILE)
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match="has format 99, and this version reads up to format 3"):
        SqliteStore.open(tmp_path, "x")


def test_the_last_admin_is_counted_with_what_is_not_committed(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            ann = Caller("ann", admin=False)
            await store.submit([creation(members=("bob",)), Add(ROOT, 1, "r", "ann", Role.ADMIN)])
            removed_bob, removed_ann = await store.submit(
                [Add(ann, 1, "r", "bob", Role.ADMIN), Remove(ann, 1, "r", "ann")]
            )
            assert not isinstance(removed_bob, Refusal)
            assert not isinstance(removed_ann, Refusal)

    asyncio.run(work())


ACTIONS = st.lists(
    st.one_of(
        # Ids that are before, among and beyond those that are stored.
        st.tuples(st.just("send"), st.sampled_from("abc"), st.sampled_from(["", "!", "i", "j", "k", "~~~~"])),
        st.tuples(st.just("bob sends"), st.sampled_from("ab"), st.sampled_from(["i", "j"])),
        st.tuples(st.just("send elsewhere"), st.sampled_from("ab"), st.sampled_from(["i", "zz"])),
        st.tuples(st.just("ack"), st.integers(0, 9), st.just("")),
        st.tuples(st.just("cut"), st.just(""), st.just("")),
        st.tuples(st.just("keep"), st.integers(0, 3), st.just("")),
        st.tuples(st.just("trim"), st.integers(1, 3), st.just("")),
        st.tuples(st.just("kick"), st.sampled_from(["alice", "bob"]), st.just("")),
        st.tuples(st.just("add"), st.sampled_from(["alice", "carl"]), st.just("")),
        st.tuples(st.just("delete"), st.just(""), st.just("")),
    ),
    max_size=25,
)


def entry_of(what, value, client_id):
    """One of the actions above."""
    match what:
        case "send":
            return send(value, client_id)
        case "bob sends":
            return send(value, client_id, "bob")
        case "send elsewhere":
            return send(value, client_id, room="other")
        case "ack":
            return Ack("bob", "", (("r", value),))
        case "keep":
            return Update(ROOT, 2, "r", "", retention=(0, value))
        case "trim":
            return Trim(3, "r", value)
        case "kick":
            return Remove(ROOT, 4, "r", value)
        case "add":
            return Add(ROOT, 5, "r", value, Role.WRITER)
    return Delete(ROOT, 6, "r", "")


@settings(max_examples=40)
@given(ACTIONS, st.booleans())
def test_groups_of_any_size_end_the_same(tmp_path_factory, actions, ahead):
    """The overlay answers as the log does: cutting a script into groups changes nothing, nor does looking ahead."""

    async def run(directory, *, grouped):
        outcomes, group = [], []

        async with opened(directory) as store:
            await store.submit([creation(), creation("other")])
            for what, value, client_id in [*actions, ("cut", "", "")]:
                if what == "cut" and grouped:
                    outcomes += await store.submit(group)
                    group = []
                elif what != "cut":
                    entry = entry_of(what, value, client_id)
                    if grouped:
                        group.append(entry)
                    else:
                        outcomes += await store.submit([entry])
            reads = store.reads()
            cursor = reads.cursor(1, "bob", "")
            state = repr((reads.room("r"), reads.memberships(1, "r", 10), reads.position()))
            texts = stored_texts(store) + stored_texts(store, "other")
            return [repr(each) for each in outcomes], texts, cursor, state

    one = asyncio.run(run(tmp_path_factory.mktemp("one"), grouped=False))
    with patch.object(writer, "FEW", 0 if ahead else 1_000):
        many = asyncio.run(run(tmp_path_factory.mktemp("many"), grouped=True))
    assert one == many


def test_acks_survive(tmp_path):
    async def work():
        async with opened(tmp_path) as store:
            await store.submit([creation(), send("a")])
            assert await store.submit([Ack("bob", "", (("r", 2),))]) == [Acked((("r", 2),))]
        async with opened(tmp_path) as store:
            assert store.reads().place("bob", "", "r").acked == 2

    asyncio.run(work())


def test_a_directory_that_cannot_be_made():
    with pytest.raises(
        StoreError, match=r"the data directory /proc/chatsys cannot be used: .*; name another"
    ):
        SqliteStore.open(Path("/proc/chatsys"), "x")


def test_half_a_log_is_begun_anew(tmp_path):
    (tmp_path / f"{schema.FILE}.new").write_bytes(b"half")
    store = SqliteStore.open(tmp_path, "x")
    assert store.position == 0
    assert not (tmp_path / f"{schema.FILE}.new").exists()
    mode = store._writer._connection.execute("PRAGMA journal_mode").fetchone()[0]
    synchronous = store._writer._connection.execute("PRAGMA synchronous").fetchone()[0]
    assert (mode, synchronous) == ("wal", 2), "every commit is on disk before it is answered"
    store.close()
