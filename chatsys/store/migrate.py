"""From the format of an older version to this one's: one step for each, all in one transaction.

Invariant: a log has the old format or the new one, never something between; a step keeps every entry, cursor and
the epoch. A step is kept as it was written, whatever the tables become later.
"""

import logging
import sqlite3

from chatsys.store.schema import SCHEMA_VERSION, transaction

log = logging.getLogger(__name__)

# What format 1 did not know yet: changes of settings, retention, direct rooms, checksums. Adding columns with a
# constant rewrites no row, so ten million messages take as long as ten.
_TO_2 = (
    "ALTER TABLE room ADD COLUMN etag TEXT NOT NULL DEFAULT '1'",
    "ALTER TABLE room ADD COLUMN first INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE room ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE room ADD COLUMN max_age_us INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE room ADD COLUMN max_entries INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE room ADD COLUMN direct INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE entry ADD COLUMN crc INTEGER",
    "CREATE INDEX room_to_trim ON room (number) WHERE deleted > first OR max_age_us > 0 OR max_entries > 0",
)
# What format 2 did not know yet: that hearing of the end of a membership reads nothing. There a cursor at or beyond
# the end meant that it was heard of, and still does.
_TO_3 = ("ALTER TABLE cursor ADD COLUMN settled INTEGER NOT NULL DEFAULT 0",)
_STEPS: dict[int, tuple[str, ...]] = {1: _TO_2, 2: _TO_3}

OLDEST = min(_STEPS)
"""The oldest format that can be brought up to date."""


def migrate(connection: sqlite3.Connection, found: int) -> None:
    """Brings a log of format ``found`` up to date.

    Args:
        connection: The writing one, idle.
        found: From ``OLDEST`` up; nothing happens when it is today's.

    Raises:
        sqlite3.Error: It could not be written; the log is as it was.
    """
    if found == SCHEMA_VERSION:
        return
    with transaction(connection):
        for version in range(found, SCHEMA_VERSION):
            for statement in _STEPS[version]:
                connection.execute(statement)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (SCHEMA_VERSION,))
    log.info("the log was brought from format %d to format %d", found, SCHEMA_VERSION)
