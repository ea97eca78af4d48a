"""Which tokens were revoked before their end: one token, or all of a user made before some moment.

A small SQLite file beside the log, written by commands and servers alike, each change durable before it is
answered. Readers hold it in memory and read it again when the file changed. A token is kept here until it would
have ended by itself.
"""

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from chatsys import private
from chatsys.auth.tokens import Claims

FILE = "revocations.sqlite3"
"""In the data directory."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS token (token_id TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS user (user_id TEXT PRIMARY KEY, before REAL NOT NULL) WITHOUT ROWID",
)
_BUSY_SECONDS = 1.0
_CHANGE_COUNTER = 24  # where: The SQLite Database File Format, 1.3.7


class RevocationError(Exception):
    """The file cannot be used; the message is a whole sentence."""


class Revoked(NamedTuple):
    """What was revoked as of some moment."""

    tokens: frozenset[str] = frozenset()
    users: Mapping[str, float] = {}
    """User id -> tokens issued before this are revoked."""

    def has(self, claims: Claims) -> bool:
        """Whether a token is revoked."""
        return claims.token_id in self.tokens or claims.issued_at < self.users.get(claims.user_id, 0.0)


class Revocations:
    """The file of one data directory.

    Args:
        data: The data directory; the file is made with the first revocation.
    """

    def __init__(self, data: Path) -> None:
        self.path = data / FILE

    def read(self) -> Revoked:
        """What is revoked now.

        Raises:
            RevocationError: It cannot be read.
        """
        if not self.path.exists():
            return Revoked()
        try:
            connection = self._open()
            try:
                if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    return Revoked()  # whoever makes the file has not come to its first revocation
                tokens = frozenset(row[0] for row in connection.execute("SELECT token_id FROM token"))
                return Revoked(tokens, dict(connection.execute("SELECT user_id, before FROM user")))
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._fault(error) from error

    def revoke_token(self, token_id: str, expires_at: float) -> None:
        """Revokes one token, durably.

        Raises:
            RevocationError: It was not.
        """
        self._write("INSERT OR REPLACE INTO token VALUES (?, ?)", (token_id, expires_at))

    def revoke_user(self, user_id: str, before: float) -> None:
        """Revokes all tokens of a user that were issued before a moment, durably.

        Raises:
            RevocationError: They were not.
        """
        statement = (
            "INSERT INTO user VALUES (?, ?) ON CONFLICT DO UPDATE SET before = max(before, excluded.before)"
        )
        self._write(statement, (user_id, before))

    def fingerprint(self) -> object:
        """Something that differs when the file has changed."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            return error.errno
        try:
            # SQLite counts the changes in its header; times of files are too coarse to tell two from one.
            return os.fstat(fd).st_ino, os.pread(fd, 4, _CHANGE_COUNTER)
        finally:
            os.close(fd)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _write(self, statement: str, values: tuple[str, float]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(private.open_or_make(self.path))
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
                for table in _TABLES:
                    connection.execute(table)
                connection.execute(statement, values)
                connection.execute("DELETE FROM token WHERE expires_at < ?", (time.time(),))
                connection.execute("COMMIT")
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> RevocationError:
        return RevocationError(f"the revocations in {self.path} cannot be used: {error}")
