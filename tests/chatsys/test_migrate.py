"""Logs of older formats: brought up to date whole, or left as they were."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from chatsys.core.entry import Ack, Send
from chatsys.core.outcome import Acked, Sent
from chatsys.store import SqliteStore, StoreError, schema
from chatsys.v1 import types_pb2

FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE user (user_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, create_time_us INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE room (number INTEGER PRIMARY KEY, room_id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
  history INTEGER NOT NULL, entry INTEGER NOT NULL, head INTEGER NOT NULL, create_time_us INTEGER NOT NULL,
  creator_id TEXT NOT NULL, request TEXT NOT NULL);
CREATE TABLE entry (position INTEGER PRIMARY KEY, room INTEGER NOT NULL, sequence INTEGER NOT NULL,
  kind INTEGER NOT NULL, actor_id TEXT NOT NULL, client_message_id TEXT, body BLOB NOT NULL,
  UNIQUE (room, sequence));
CREATE UNIQUE INDEX entry_by_client_message_id ON entry (client_message_id, room, actor_id)
  WHERE client_message_id IS NOT NULL;
CREATE TABLE membership (user_id TEXT NOT NULL, room INTEGER NOT NULL, role INTEGER NOT NULL,
  join_sequence INTEGER NOT NULL, join_time_us INTEGER NOT NULL, end_sequence INTEGER NOT NULL,
  PRIMARY KEY (user_id, room)) WITHOUT ROWID;
CREATE INDEX membership_by_room ON membership (room, user_id) WHERE end_sequence = 0;
CREATE TABLE cursor (user_id TEXT NOT NULL, consumer_id TEXT NOT NULL, room INTEGER NOT NULL,
  acked INTEGER NOT NULL, PRIMARY KEY (user_id, consumer_id, room)) WITHOUT ROWID;
INSERT INTO meta VALUES ('epoch', '00000000000000aa'), ('position', 4), ('schema', 1);
INSERT INTO user VALUES ('alice', 'Alice', 1), ('bob', '', 1);
INSERT INTO room VALUES (1, 'r', 'Room', 1, 2, 2, 1, 'root', '');
INSERT INTO membership VALUES ('alice', 1, 2, 1, 1, 0), ('bob', 1, 2, 1, 1, 0);
INSERT INTO cursor VALUES ('bob', '', 1, 1);
"""


def old_log(directory):
    directory.mkdir(exist_ok=True)
    message = types_pb2.Message(
        room_id="r", sequence=2, sender_id="alice", content=b"old", client_message_id="i"
    )
    with closing(sqlite3.connect(directory / schema.FILE)) as log:
        log.executescript(FORMAT_1)
        log.execute("INSERT INTO entry VALUES (3, 1, 1, 1, 'root', NULL, '')")
        log.execute("INSERT INTO entry VALUES (4, 1, 2, 2, 'alice', 'i', ?)", (message.SerializeToString(),))
        log.commit()


def send(text, client_id):
    return Send("alice", 5, "r", text.encode(), "", client_id)


def test_an_older_log_goes_on_where_it_was(tmp_path):
    async def work():
        old_log(tmp_path)
        store = SqliteStore.open(tmp_path, "x")
        store.start(lambda _: True)
        assert (store.epoch, store.position) == ("00000000000000aa", 4)
        outcomes = await store.submit([send("old", "i"), send("new", "j"), Ack("bob", "", (("r", 3),))])
        assert outcomes == [Sent(2, 0, duplicate=True), Sent(3, 5, duplicate=False), Acked((("r", 3),))]
        found = store.reads().room("r")
        assert found is not None
        room = found[1]
        assert (room.display_name, room.first, room.deleted, room.direct) == ("Room", 1, 0, False)
        assert room.etag
        store.close()
        again = SqliteStore.open(tmp_path, "x")
        assert again.position == 5
        again.close()

    asyncio.run(work())


def test_an_older_log_has_the_tables_of_a_new_one(tmp_path):
    def tables(directory):
        with closing(sqlite3.connect(directory / schema.FILE)) as log:
            names = [name for (name,) in log.execute("SELECT name FROM sqlite_master ORDER BY name")]
            return {
                name: [tuple(row)[1:3] for row in log.execute(f"PRAGMA table_info({name})")] for name in names
            }

    old_log(tmp_path / "old")
    for each in ("old", "new"):
        SqliteStore.open(tmp_path / each, "x").close()
    assert tables(tmp_path / "old") == tables(tmp_path / "new")


def test_a_step_that_fails_leaves_the_old_log(tmp_path):
    old_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / schema.FILE)) as log:
        log.execute("ALTER TABLE entry ADD COLUMN crc INTEGER")  # somebody was here: the step cannot be done
        log.commit()
    with pytest.raises(StoreError, match="cannot be opened: duplicate column name: crc"):
        SqliteStore.open(tmp_path, "x")
    with closing(sqlite3.connect(tmp_path / schema.FILE)) as log:
        assert log.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (1,)
        columns = {row[1] for row in log.execute("PRAGMA table_info(room)")}
    assert "etag" not in columns


def test_a_database_of_something_else_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / schema.FILE)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="is no log of chatsys; name another --data"):
        SqliteStore.open(tmp_path, "x")
