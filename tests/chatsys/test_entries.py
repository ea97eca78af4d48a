"""Many entries by one statement: the same as one by one, and nothing outside the data directory."""

import os
import random
import sqlite3
import sys
import uuid
from contextlib import closing

import pytest

from chatsys.store import schema
from chatsys.store.entries import AT_ONCE, SMALL, insert
from harness.keeper.descriptors import open_in


@pytest.fixture
def log(tmp_path):
    path = tmp_path / schema.FILE
    schema.create(path, "0" * 16)
    with closing(schema.open_writer(path)) as connection:
        yield connection


def rows(number, *, after=0, rooms=1, body=b"hello", chance=None):
    """Entries of rooms in turn; ids that grow, or that land anywhere."""
    chance = chance or random.Random(after)
    return [
        (n, n % rooms + 1, n, 2, "alice", str(uuid.UUID(int=chance.getrandbits(128))), body, None)
        for n in range(after + 1, after + number + 1)
    ]


@pytest.mark.parametrize("number", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE - 1])
@pytest.mark.parametrize("body", [b"hello", b"x" * (SMALL // AT_ONCE + 1)])
def test_all_are_written_whatever_their_number_and_size(log, number, body):
    written = rows(number, body=body)
    with schema.transaction(log):
        insert(log, written)
    assert log.execute("SELECT * FROM entry ORDER BY position").fetchall() == written


@pytest.mark.parametrize("place", [0, AT_ONCE, AT_ONCE + 3])
def test_a_conflict_takes_back_all_of_the_group(log, place):
    with schema.transaction(log):
        insert(log, rows(5))
    group = rows(2 * AT_ONCE, after=5)
    group[place] = (group[place][0], 1, 3, *group[place][3:])  # room 1 has an entry 3
    with pytest.raises(sqlite3.IntegrityError), schema.transaction(log):
        insert(log, group)
    assert not log.in_transaction
    assert log.execute("SELECT count(*) FROM entry").fetchone() == (5,)
    with schema.transaction(log):
        insert(log, rows(AT_ONCE, after=5))
    assert log.execute("SELECT count(*) FROM entry").fetchone() == (5 + AT_ONCE,)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_nothing_is_written_elsewhere(log):
    """SQLite would copy old pages to a temporary file, once a statement of several rows changes many of them."""
    chance = random.Random(1)
    with schema.transaction(log):
        insert(log, rows(20_000, rooms=300, chance=chance))
    with schema.transaction(log):
        insert(log, rows(2 * AT_ONCE, after=20_000, rooms=300, chance=chance))
        opened = list(open_in(os.getpid()))
    assert any(name.endswith(f"{schema.FILE}-wal") for name in opened)
    assert not [name for name in opened if "etilqs" in name]
