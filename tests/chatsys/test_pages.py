"""What readers of one turn share: made once, bounded in bytes, and never somebody else's."""

import asyncio
import sqlite3
import tracemalloc
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsys.core.entry import Ack, Add, CreateRoom, Delete, Remove, Send, Trim, Update
from chatsys.core.model import Caller, Entry, History, Kind, Role
from chatsys.errors import Reason, Refusal
from chatsys.server import frames
from chatsys.store import SqliteStore, pages, schema
from chatsys.store.overlay import Overlay
from chatsys.store.pages import PAGE_BYTES, Pages
from chatsys.store.rows import Row
from tests.support import until

LARGE = b"x" * 60_000
ROOT = Caller("root", admin=True)
CREATION = CreateRoom(
    ROOT,
    1,
    "r",
    "",
    History.SINCE_JOIN,
    Entry.INVITE,
    (("alice", Role.WRITER),),
    True,
    "",
)


def reads(size):
    """A log of messages of one size, without an end."""

    def read(number, after, limit, max_bytes):
        count = min(limit, -(-max_bytes // size))
        rows = [Row(after + n + 1, Kind.MESSAGE.value, "alice", b"x" * size) for n in range(count)]
        return rows, count * size

    return read


def test_readers_of_one_place_share_a_page_until_the_turn_ends():
    shared = Pages(reads(10))
    page = shared.page(1, 0, 1_000)
    assert shared.page(1, 0, 500) is page
    assert shared.page(1, 1, 1_000) is not page
    assert page.encoded(frames.messages) is page.encoded(frames.messages)
    shared.forget()
    assert shared.page(1, 0, 1_000) is not page


def test_a_page_has_no_more_bytes_than_are_of_use():
    page = Pages(reads(len(LARGE))).page(1, 0, 1_000)
    assert PAGE_BYTES <= sum(len(row.body) for row in page.messages) < PAGE_BYTES + len(LARGE)
    assert not page.last


def stored(*sequences):
    """A log that holds these, written as they were offered."""

    def read(_number, after, limit, _max_bytes):
        found = [Row(n, Kind.MESSAGE.value, "alice", b"stored") for n in sequences if n > after][:limit]
        return found, sum(len(row.body) for row in found)

    return read


def numbered(*sequences):
    return [Row(n, Kind.MESSAGE.value, "alice", b"fresh") for n in sequences]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 700), st.integers(1, 1_000))
def test_what_was_offered_is_not_read_again(first, number, after, wanted):
    """A reader gets what was just written if it was offered where he reads on; whatever else, from the log."""
    offered = numbered(*range(first, first + number))
    shared = Pages(stored(*range(1, first + number)))
    shared.offer({1: offered})
    page = shared.page(1, after, wanted)
    if first <= after + 1 < first + number:
        size = pages.PAGE if wanted > pages.SMALL_PAGE else pages.SMALL_PAGE
        beyond = [row for row in offered if row.sequence > after]
        assert page.messages == beyond[:size]
        assert (page.through, page.last) == (page.messages[-1].sequence, len(beyond) <= size)
    else:
        assert all(row.body != b"fresh" for row in page.messages)
    assert all(row.body != b"fresh" for row in shared.page(2, after, wanted).messages)
    shared.forget()
    assert all(row.body != b"fresh" for row in shared.page(1, after, wanted).messages)


def test_what_was_offered_and_is_removed_since_is_not_shown():
    """Retention removes entries and leaves the position as it is."""
    shared = Pages(stored(9, 10, 11))
    shared.offer({1: numbered(*range(2, 12))})
    assert shared.page(1, 0, 50).sequences == [9, 10, 11]
    assert shared.page(1, 4, 50).sequences == [9, 10, 11]
    assert [row.body for row in shared.page(1, 8, 50).messages] == [b"fresh"] * 3


def test_a_trim_that_is_committed_and_not_told_yet_is_seen(tmp_path):
    async def main():
        store = SqliteStore.open(tmp_path, "the test")
        # Nobody says that he has read: what was written stays on offer.
        store.start(lambda _: False)
        await store.submit([CREATION, Update(ROOT, 5, "r", "", retention=(0, 3))])
        await store.submit([Send("alice", 5, "r", b"m", "", "") for _ in range(10)])
        reads = store.reads()
        found = reads.room("r")
        assert found is not None
        number, _ = found
        head = reads.position()
        first = reads.entries(number, 0, 1)[0].sequence
        assert reads.page(number, first, 50).sequences
        trimmed = store.submit([Trim(5, "r", 100)])
        assert store._gathering is not None
        store._gathering.free()
        store._gathering._look()  # as after a fan-out that took too long
        with closing(sqlite3.connect(tmp_path / schema.FILE)) as other:
            # The loop is busy meanwhile, so that the news of the trim are not told before we have looked.
            oldest = lambda: other.execute("SELECT min(sequence) FROM entry").fetchone()[0]  # noqa: E731 - one use, one line
            until(lambda: oldest() > first, "the trim")
        assert not trimmed.done()
        store._end_snapshot()
        reads = store.reads()
        assert reads.position() == head
        for after in range(12):
            log = [row for row in reads.entries(number, after, 50) if row.kind == Kind.MESSAGE.value]
            assert reads.page(number, after, 50).messages == log
        await trimmed
        store.close()

    asyncio.run(main())


def test_what_cannot_be_handed_over_is_not_committed(tmp_path, monkeypatch):
    async def main():
        store = SqliteStore.open(tmp_path, "the test")
        store.start(lambda _: True)
        await store.submit([CREATION])
        send = Send("alice", 5, "r", b"m", "", "i")

        def fails(_):
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(Overlay, "fresh", fails)
            with pytest.raises(Refusal):
                await store.submit([send])
        (sent,) = await store.submit([send])
        assert not sent.duplicate
        store.close()

    asyncio.run(main())


_WRITES = st.one_of(
    st.builds(
        lambda room, text, id_: Send("alice", 5, room, text, "", id_),
        st.sampled_from("rs"),
        st.binary(max_size=3),
        st.sampled_from(["", "i", "j"]),
    ),
    st.builds(lambda room, who: Add(ROOT, 5, room, who, Role.WRITER), st.sampled_from("rs"), st.just("bob")),
    st.builds(lambda room: Remove(ROOT, 5, room, "bob"), st.sampled_from("rs")),
    st.builds(
        lambda room, most: Update(ROOT, 5, room, "", retention=(0, most)), st.just("r"), st.integers(1, 4)
    ),
    st.builds(lambda room: Trim(5, room, 5), st.just("r")),
    st.builds(lambda room: Delete(ROOT, 5, room, ""), st.just("s")),
)


@given(st.lists(st.lists(_WRITES, min_size=1, max_size=12), max_size=6))
def test_what_is_offered_is_what_the_log_holds(groups):
    """Whatever a group did: sends that come again, entries that are removed by what comes after them."""
    told = []

    async def main(directory):
        store = SqliteStore.open(directory, "the test")

        def publish(_):
            asyncio.get_running_loop().call_soon(look)
            return False

        def look():
            reads = store.reads()
            for number, rows in dict(reads.shared._fresh).items():
                told.append(rows)
                assert rows == reads.entries(number, rows[0].sequence - 1, 1_000)
            store.released()

        store.start(publish)
        await store.submit([CREATION, CREATION._replace(room_id="s")])
        for group in groups:
            await store.submit(group)
        store.close()

    with TemporaryDirectory() as directory:
        asyncio.run(main(Path(directory)))
    assert told, "what creates the rooms is news, too"


def test_what_is_large_is_not_offered(tmp_path):
    async def main():
        store = SqliteStore.open(tmp_path, "the test")
        offered = []

        def publish(_):
            asyncio.get_running_loop().call_soon(look)
            return False

        def look():
            offered.append(sum(map(len, store.reads().shared._fresh.values())))
            store.released()

        store.start(publish)
        await store.submit([CREATION])
        await store.submit(
            [Send("alice", 5, "r", LARGE, "", "") for _ in range(PAGE_BYTES // len(LARGE) + 1)]
        )
        await store.submit([Send("alice", 5, "r", LARGE, "", "")])
        store.close()
        assert offered == [1, 0, 1]

    asyncio.run(main())


def test_what_is_made_of_the_same_parts_is_made_once():
    shared = Pages(reads(10))
    part = bytes([1, 2, 3])
    made = shared.once("a", [part], lambda: b"first")
    assert shared.once("a", [part], lambda: b"second") is made
    assert shared.once("b", [part], lambda: b"third") == b"third"
    assert shared.once("a", [bytes(bytearray(part))], lambda: b"fourth") == b"fourth"


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(min_size=1, max_size=3)), max_size=60))
def test_nobody_gets_what_was_made_of_other_parts(asked):
    """Parts come and go, and a new one may lie where an older one lay."""
    shared = Pages(reads(10))
    for said, content in asked:
        part = b"." + content  # a new object each time
        assert shared.once(said, [part], partial(bytes.join, b"", (b"made of ", part))) == b"made of " + part


def test_who_shares_nothing_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(pages, "SHARED_BYTES", 4 * PAGE_BYTES)
    shared = Pages(reads(len(LARGE)))
    tracemalloc.start()
    try:
        for after in range(40):
            encoded = shared.page(1, after, 1_000).encoded(frames.messages)
            shared.once(after, [encoded], partial(bytes.join, b"", (b"frame", encoded)))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * pages.SHARED_BYTES


def test_who_reads_what_is_fresh_each_from_a_place_of_his_own_does_not_either(monkeypatch):
    monkeypatch.setattr(pages, "SHARED_BYTES", 4 * PAGE_BYTES)
    number = 500
    shared = Pages(stored(*range(1, number + 1)))
    rows = [Row(n, Kind.MESSAGE.value, "alice", bytes(PAGE_BYTES // number)) for n in range(1, number + 1)]
    tracemalloc.start()
    try:
        for after in range(80):
            shared.offer({1: rows})
            shared.page(1, after, 1_000).encoded(frames.messages)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * pages.SHARED_BYTES


def test_large_messages_come_in_several_pages_and_none_is_left_out(tmp_path):
    async def main():
        store = SqliteStore.open(tmp_path, "the test")
        store.start(lambda _: True)
        await store.submit([CREATION])
        await store.submit([Send("alice", 5, "r", LARGE, "", "") for _ in range(100)])
        seen, after, number = [], 0, 0
        while True:
            page = store.reads().page(1, after, 1_000)
            seen += page.sequences
            number += 1
            if page.last:
                break
            after = page.through
        assert seen == list(range(2, 102))
        assert number == 3
        store.close()

    asyncio.run(main())


@pytest.mark.parametrize("body", ["crc = crc + 1", "body = 'a text'"])
def test_a_message_that_is_sent_again_and_is_not_as_it_was_written(tmp_path, body):
    """Whoever asks for it: readers, and the decision whether a send is a repeated one."""
    store = SqliteStore.open(tmp_path, "the test")

    async def main():
        store.start(lambda _: True)
        sends = [Send("alice", 5, "r", b"hello", "", f"id-{n}") for n in range(6)]
        await store.submit([CREATION, *sends])
        with closing(sqlite3.connect(tmp_path / schema.FILE, isolation_level=None)) as other:
            other.execute(f"UPDATE entry SET {body} WHERE sequence = 4")
        with pytest.raises(Refusal) as one:
            await store.submit(sends[2:3])
        assert one.value.reason is Reason.LOG_CORRUPT
        with pytest.raises(Refusal):
            await store.submit([Ack("alice", "", ())])
        store.close()

    asyncio.run(main())
