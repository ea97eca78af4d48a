"""How entries get into the log: many by one statement, for to end a statement takes a third of what a row takes."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

EntryRow = tuple[int, int, int, int, str, str | None, bytes, int]
"""The columns of table ``entry``."""

AT_ONCE = 32
"""Rows of one statement; more gain nothing."""

_ONE = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SEVERAL = _ONE + ", (?, ?, ?, ?, ?, ?, ?, ?)" * (AT_ONCE - 1)


def insert(connection: sqlite3.Connection, rows: Sequence[EntryRow]) -> None:
    """Writes entries, inside the caller's transaction.

    Raises:
        sqlite3.Error: They could not be written; some of them may have been.
    """
    whole = len(rows) - len(rows) % AT_ONCE
    if whole:
        several = (rows[start : start + AT_ONCE] for start in range(0, whole, AT_ONCE))
        connection.executemany(_SEVERAL, [tuple(chain.from_iterable(each)) for each in several])
    connection.executemany(_ONE, rows[whole:])
