"""The log behind the server: SQLite in one file, one writer, group commit.

``SqliteStore`` is what the server uses. Invariants: one thread writes; nothing is published or answered before
its COMMIT returned; a COMMIT that fails leaves no trace in memory; of messages only those of the last commit stay in
memory, until those who wait for them have read them.
"""

from chatsys.store.encoder import REUSED, Filler
from chatsys.store.group import Group
from chatsys.store.pages import Page
from chatsys.store.reads import Reads
from chatsys.store.rows import Place, Row
from chatsys.store.sqlite import SqliteStore, StoreError
from chatsys.store.writer import Chain, Done

__all__ = [
    "REUSED",
    "Chain",
    "Done",
    "Filler",
    "Group",
    "Page",
    "Place",
    "Reads",
    "Row",
    "SqliteStore",
    "StoreError",
]
