"""What readers of one turn share: made once, bounded in bytes, and never somebody else's."""

import asyncio
import sqlite3
import tracemalloc
from contextlib import closing
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatsys.core.entry import Ack, CreateRoom, Send
from chatsys.core.model import Caller, Entry, History, Kind, Role
from chatsys.errors import Reason, Refusal
from chatsys.server import frames
from chatsys.store import SqliteStore, pages, schema
from chatsys.store.pages import PAGE_BYTES, Pages
from chatsys.store.rows import Row

LARGE = b"x" * 60_000
CREATION = CreateRoom(
    Caller("root", admin=True),
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
