"""How entries get into the log: many by one statement, for to end a statement takes a third of what a row takes.

Invariant: nothing is written outside the data directory. A statement of several rows that may fail in its midst makes
SQLite copy the pages it changes to a temporary file, to be able to take back this statement alone. Nobody wants that
here: a group is written whole or not at all, so a conflict takes back the transaction (``OR ROLLBACK``).
"""

import sqlite3
from collections.abc import Sequence
from itertools import chain

EntryRow = tuple[int, int, int, int, str, str | None, bytes, int]
"""The columns of table ``entry``."""

AT_ONCE = 32
"""Rows of one statement; more gain nothing."""
SMALL = 64 * 1024
"""Bytes of bodies up to which rows are written together; the statement, which is kept, keeps the last of them."""

_ONE = "INSERT OR ROLLBACK INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SEVERAL = _ONE + ", (?, ?, ?, ?, ?, ?, ?, ?)" * (AT_ONCE - 1)


def insert(connection: sqlite3.Connection, rows: Sequence[EntryRow]) -> None:
    """Writes entries, inside the caller's transaction.

    Raises:
        sqlite3.Error: They could not be written; the transaction may be over.
    """
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        if len(some) == AT_ONCE and sum(len(row[6]) for row in some) <= SMALL:
            connection.execute(_SEVERAL, tuple(chain.from_iterable(some)))
        else:
            connection.executemany(_ONE, some)
