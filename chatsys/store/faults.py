"""What a failure of the database means for whoever asked: no room, damage, or something that may pass.

SQLite rolls a transaction back when there is no room for it, so that such a send surely did not happen. After any
other failure of a COMMIT its fate is unknown until the log is read again.
"""

import sqlite3

from chatsys.errors import Reason, Refusal
from chatsys.store.rows import CorruptError

_PRIMARY = 0xFF  # of an extended result code
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

RETRY_WHEN_FULL = 1.0
"""Seconds after which it is worth asking again whether there is room."""


def is_damage(error: BaseException) -> bool:
    """Whether the log itself is not what was written, as opposed to a disk that refuses."""
    unreadable = isinstance(error, sqlite3.OperationalError) and "Could not decode" in str(error)
    return isinstance(error, CorruptError) or unreadable or _primary(error) in _DAMAGE


def refusal_of(error: BaseException, doing: str) -> Refusal:
    """What the caller is answered.

    Args:
        error: What SQLite or the system said.
        doing: "read" or "written".
    """
    if is_damage(error):
        return damaged()
    if _primary(error) == sqlite3.SQLITE_FULL:
        return Refusal(
            Reason.STORE_FULL,
            "there is no room on the server's disk; nothing was stored",
            retry_after=RETRY_WHEN_FULL,
        )
    unknown = "; the outcome is unknown" if doing == "written" else ""
    return Refusal.store_unavailable(f"the log cannot be {doing} now{unknown}")


def damaged() -> Refusal:
    """The answer to everybody once the log was found damaged."""
    return Refusal(
        Reason.LOG_CORRUPT,
        "the server's log is damaged; its operator must restore a backup (see its own log)",
    )


def _primary(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)  # not every sqlite3.Error comes from SQLite
    return None if code is None else code & _PRIMARY
