"""The one thread that writes: decides in log order, commits group by group, then hands the news over.

Invariant: whatever is handed over was committed. A group whose COMMIT failed is refused whole, and what a chain
sent after a refused entry is refused too, so that nothing overtakes it. Groups are made by ``Gathering``.
"""

import logging
import queue
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatsys.core import decide
from chatsys.core.entry import LogEntry, Send
from chatsys.core.outcome import Outcome
from chatsys.errors import Refusal
from chatsys.store import faults
from chatsys.store.group import Group
from chatsys.store.overlay import Overlay
from chatsys.store.reads import Reads
from chatsys.store.rows import Row
from chatsys.store.schema import transaction

log = logging.getLogger(__name__)

FEW = 4
"""Client message ids of one commit that are looked up as they come; more are looked up at once."""


class Chain:
    """Ties submissions together: after one of them was lost, those behind it are refused."""

    __slots__ = ("broken",)

    def __init__(self) -> None:
        self.broken = False


class Done(NamedTuple):
    """One submission, decided and committed, or refused whole."""

    token: object
    """That of the submission."""
    outcomes: list[Outcome]
    lost: Refusal | None
    """Set when the log could not take the submission; then there are no outcomes."""


class Work(NamedTuple):
    """One submission: entries that are decided one after another, with nothing between them."""

    entries: Sequence[LogEntry]
    chain: Chain | None
    token: object
    """Whatever shall stand in its ``Done``."""


class Written(NamedTuple):
    """What became of a group."""

    news: Group | None
    """None when nothing has changed."""
    fresh: dict[int, list[Row]]
    """See ``Overlay.fresh``."""
    done: list[Done]
    """Of each submission, in order."""
    seconds: float
    """That it took."""


class Writer:
    """Owns the writing connection from ``start`` to ``stop``.

    Args:
        connection: Open, idle, not used by anybody else from now on.
        hand_over: Called in the writer's thread after each commit or failure, in order.
        failed: Called in the writer's thread with what the database said when it failed.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        hand_over: Callable[[Written], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._connection = connection
        self._reads = Reads(connection)
        self._hand_over = hand_over
        self._failed = failed
        self._queue: queue.SimpleQueue[list[Work] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="chatsys-writer", daemon=True)
        self._position = self._reads.position()
        self._last_room = self._reads.last_room_number()

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def write(self, group: list[Work]) -> None:
        """Queues a group, which is committed at once. Any thread."""
        self._queue.put(group)

    @property
    def waiting(self) -> int:
        """Groups that wait; may be out of date when it is read."""
        return self._queue.qsize()

    def stop(self) -> None:
        """Writes what was queued, ends the thread and closes the connection."""
        self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (group := self._queue.get()) is not None:
            began = time.monotonic()
            news, fresh, done = self._commit(group)
            self._hand_over(Written(news, fresh, done, time.monotonic() - began))
            del group, news, fresh, done  # all that was sent in it must not stay until the next one comes

    def _commit(self, group: list[Work]) -> tuple[Group | None, dict[int, list[Row]], list[Done]]:
        overlay = Overlay(self._reads, self._position, self._last_room)
        try:
            self._look_ahead(overlay, group)
            done = [self._decide(overlay, work) for work in group]
            news, fresh = self._write(overlay) if overlay.changed else (None, {})
        except Exception as error:
            # Whatever it was, those who wait must hear of it, and the next group gets its chance.
            expected = isinstance(error, (sqlite3.Error, OSError))
            log.error("the log could not be written: %s", error, exc_info=not expected)  # noqa: TRY400  # see exc_info
            self._failed(error)
            lost = faults.refusal_of(error, "written")
            for work in group:
                if work.chain is not None:
                    work.chain.broken = True
            return None, {}, [Done(work.token, [], lost) for work in group]
        self._position, self._last_room = overlay.position, overlay.last_room
        return news, fresh, done

    @staticmethod
    def _look_ahead(overlay: Overlay, group: list[Work]) -> None:
        ids = frozenset(
            entry.client_message_id for work in group for entry in work.entries if isinstance(entry, Send)
        )
        if len(ids) > FEW:
            overlay.look_ahead(ids)

    def _decide(self, overlay: Overlay, work: Work) -> Done:
        if work.chain is not None and work.chain.broken:
            return Done(
                work.token, [], Refusal.store_unavailable("an earlier message of this stream was not stored")
            )
        outcomes: list[Outcome] = []
        for entry in work.entries:
            try:
                outcome, effects = decide(overlay, entry)
            except (sqlite3.Error, OSError):
                raise
            except Exception:  # one entry that cannot be decided must not take the others of its group down
                error_id = secrets.token_hex(8)
                log.exception("error %s while deciding a %s", error_id, type(entry).__name__)
                outcomes.append(Refusal.bug(error_id))
                continue
            for effect in effects:
                overlay.apply(effect)
            outcomes.append(outcome)
        return Done(work.token, outcomes, None)

    def _write(self, overlay: Overlay) -> tuple[Group, dict[int, list[Row]]]:
        with transaction(self._connection):
            overlay.write(self._connection)
            # Before COMMIT: what fails after it can neither be taken back nor told.
            return overlay.news(), overlay.fresh()
