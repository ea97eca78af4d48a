"""``SqliteStore``: opens a data directory, takes entries, answers reads, closes.

Lives in one event loop's thread; only the writer has a thread of its own. Reads run in the loop's thread: they
take microseconds, less than a hop to another thread and back.
"""

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Self

from chatsys.core.entry import LogEntry
from chatsys.core.outcome import Outcome
from chatsys.errors import Refusal
from chatsys.store import damage, faults, life, migrate, schema
from chatsys.store.gathering import Gathering
from chatsys.store.group import Group
from chatsys.store.lock import DataDirectoryInUseError, DirectoryLock
from chatsys.store.reads import Reads
from chatsys.store.rows import Row
from chatsys.store.writer import Chain, Work, Writer, Written

log = logging.getLogger(__name__)

MAX_WAITING = 20_000
"""Submissions that may wait to be written; more are refused, so that memory stays bounded."""


SMALL_LOG = 8 * 1024 * 1024
"""Bytes up to which a log is checked whole, page by page, when it is opened; it takes some milliseconds."""


class StoreError(Exception):
    """The data directory cannot be used; the message is a whole sentence."""


class SqliteStore:
    """The log in one directory. Made by ``open``.

    Attributes:
        epoch: The log's epoch, 16 hexadecimal digits.
        found_damage: Set from the moment on that everybody is refused, because the log is damaged.
        position: Entries applied when it was opened.
    """

    def __init__(
        self, directory: Path, lock: DirectoryLock, writing: sqlite3.Connection, reading: sqlite3.Connection
    ) -> None:
        self._directory = directory
        self._lock = lock
        self._writer = Writer(writing, self._hand_over, self._failed)
        self._reading = reading
        self._reads = Reads(reading)
        self._in_snapshot = False
        self._fresh: tuple[int, Mapping[int, list[Row]]] | None = None
        """What the last commit wrote, and the position after it, while some who were told of it have not read it."""
        self._damaged = False
        self.found_damage = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gathering: Gathering | None = None
        self._publish: Callable[[Group], bool] | None = None
        self.epoch = str(self._reads.meta("epoch"))
        self.position = self._reads.position()

    @classmethod
    def open(cls, directory: Path, owner: str) -> Self:
        """Opens a data directory, making it and its log if needed.

        Args:
            directory: Where the log is or shall be.
            owner: What another process is told that finds the directory in use.

        Raises:
            StoreError: Not writable, in use, no database, or of another version.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what everybody wrote
            lock = DirectoryLock(directory, owner)
        except DataDirectoryInUseError as error:
            raise StoreError(
                f"the data directory {directory} is in use by {error}; stop that server or name another --data"
            ) from None
        except OSError as error:
            raise StoreError(
                f"the data directory {directory} cannot be used: {error.strerror}; name another with --data"
            ) from error
        file = directory / schema.FILE
        found_before = damage.marked(directory)
        with ExitStack() as undo:  # whatever fails below leaves nothing open
            undo.callback(lock.release)
            if found_before is not None:
                raise StoreError(_is_damaged(directory, found_before))
            try:
                writing = undo.enter_context(closing(_open_log(file)))
                found = schema.version(writing)
                _refuse_other_format(directory, found)
                _look(writing, directory)
                migrate.migrate(writing, found)
                if life.begin(writing, directory):
                    log.warning(
                        "the log in %s was brought from elsewhere, such as a backup: it has a new epoch",
                        directory,
                    )
                reading = undo.enter_context(closing(schema.open_reader(file)))
                store = cls(directory, lock, writing, reading)
            except (sqlite3.Error, OSError) as error:
                raise StoreError(
                    f"the log {file} cannot be opened: {error}; move it away or name another --data"
                ) from error
            undo.pop_all()
            return store

    def start(self, publish: Callable[[Group], bool]) -> None:
        """Begins to take entries, in the running loop.

        Args:
            publish: Told of every commit, in the loop, before those who submitted are answered. True means
                that all went out already; otherwise ``released`` must be called when it has.
        """
        self._loop = asyncio.get_running_loop()
        self._gathering = Gathering(self._writer.write)
        self._publish = publish
        self._writer.start()

    def submit(
        self, entries: Sequence[LogEntry], chain: Chain | None = None
    ) -> "asyncio.Future[list[Outcome]]":
        """Queues entries; they are decided one after another with nothing between them.

        Returns:
            Their outcomes, once durable. Fails with a ``Refusal`` when the log could not take them: then it
            is unknown whether they will be there.

        Raises:
            Refusal: Too much waits already, or the log is closed or damaged.
        """
        gathering = self._gathering
        assert self._loop is not None, "submit() comes after start()"
        if gathering is None:
            raise Refusal.store_unavailable("the log is closed")  # nobody would ever write it
        if self._damaged:
            raise faults.damaged()
        if len(gathering) >= MAX_WAITING:
            if chain is not None:
                chain.broken = True
            raise Refusal.store_unavailable("too much waits to be written")
        future: asyncio.Future[list[Outcome]] = self._loop.create_future()
        gathering.submit(Work(entries, chain, future))
        return future

    def released(self) -> None:
        """The news of the last commit went out; the next group may be written."""
        self._fresh = None
        if self._gathering is not None:
            self._gathering.free()

    def reads(self) -> Reads:
        """The committed log, the same state for everybody in this turn of the loop.

        The answer must not be kept over an ``await``. The snapshot ends by itself after this turn, so that no
        reader stops the writer's checkpoints, and before the next news are published, so that whoever was told
        of a position reads at least that.

        Raises:
            Refusal: STORE_UNAVAILABLE, or LOG_CORRUPT from the moment on that damage was found.
        """
        if self._damaged:
            raise faults.damaged()
        if not self._in_snapshot:
            assert self._loop is not None, "reads() comes after start()"
            try:
                if self._reading.in_transaction:  # the COMMIT of the one before failed
                    self._reading.execute("ROLLBACK")
                self._reading.execute("BEGIN")
                self._in_snapshot = True
                self._loop.call_soon(self._end_snapshot)
                # The next group may have been committed already: then what this one wrote is not all there is.
                if self._fresh is not None and self._reads.position() == self._fresh[0]:
                    self._reads.shared.offer(self._fresh[1])
            except sqlite3.Error as error:
                raise self.could_not_read(error) from error
        return self._reads

    def could_not_read(self, error: sqlite3.Error) -> Refusal:
        """What somebody is answered whose read failed; remembers it when the log is damaged."""
        log.error("the log could not be read: %s", error)
        self._failed(error)
        return faults.refusal_of(error, "read")

    def _failed(self, error: BaseException) -> None:
        # Any thread: both do the same, and one of them is enough.
        if faults.is_damage(error) and not self._damaged:
            self._damaged = True
            damage.mark(self._directory, str(error))
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.found_damage.set)
            log.critical("%s", _is_damaged(self._directory, str(error)))

    def close(self) -> None:
        """Writes what was submitted, and lets the directory go. What is submitted from now on is refused."""
        self._end_snapshot()
        self._fresh = None
        self._reading.close()  # before the writer: the last to close moves the WAL into the database, if it may write
        gathering, self._gathering = self._gathering, None
        if gathering is not None:
            gathering.end()
        self._writer.stop()
        self._lock.release()

    def _end_snapshot(self) -> None:
        if self._in_snapshot:
            self._in_snapshot = False
            self._reads.shared.forget()
            try:
                self._reading.execute("COMMIT")
            except sqlite3.Error as error:
                log.warning("a read of the log did not end well: %s", error)

    def _hand_over(self, written: Written) -> None:
        assert self._loop is not None
        # Otherwise the loop is gone; so is everybody who waited.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, written)

    def _tell(self, written: Written) -> None:
        self._end_snapshot()
        self._fresh = None
        assert self._publish is not None
        assert self._loop is not None
        news, fresh, done, seconds = written
        gathering = self._gathering  # None when it is closed: then no group comes after this
        if gathering is not None:
            gathering.written(len(done), seconds)
        out = True
        try:
            out = news is None or self._publish(news)
            if news is not None and not out:
                self._fresh = news.position, fresh
        except Exception:  # those who submitted must hear of it all the same: it is committed
            log.exception("the news of a commit did not reach everybody")
        for each in done:
            future = each.token
            assert isinstance(future, asyncio.Future)
            if future.done():
                continue  # the caller was cancelled
            if each.lost is not None:
                future.set_exception(each.lost)
            else:
                future.set_result(each.outcomes)
        if out and gathering is not None:
            # Behind those who were just told: they answer first, and what came meanwhile gets into the next group.
            self._loop.call_soon(gathering.free)


def _open_log(file: Path) -> sqlite3.Connection:
    strays = schema.strays(file)
    if strays:
        raise StoreError(
            f"{strays[0]} belongs to a log that is not beside it; put that log back, or move away this file, too"
        )
    if not file.exists():
        schema.create(file, secrets.token_hex(8))
    return schema.open_writer(file)


def _is_damaged(directory: Path, found: str) -> str:
    return (
        f"the log in {directory} is damaged ({found}) and is not served; see `chatsys check {directory}`,"
        " then restore a backup with `chatsys restore`"
    )


def _look(writing: sqlite3.Connection, directory: Path) -> None:
    """Finds the damage that can be found at once: all of it in a small log, else what lies at its end.

    What lies deeper is found when it is read, and by ``chatsys check``.
    """
    (pages,), (size,) = (writing.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    fault = "ok"
    if pages * size <= SMALL_LOG:
        (fault,) = writing.execute("PRAGMA quick_check(1)").fetchone()
    last, position = writing.execute(
        "SELECT coalesce((SELECT max(position) FROM entry), 0), (SELECT value FROM meta WHERE key = 'position')"
    ).fetchone()
    if last > position:
        fault = f"its last entry is at position {last}, beyond its end {position}"
    if fault != "ok":
        damage.mark(directory, fault)
        raise StoreError(_is_damaged(directory, fault))


def _refuse_other_format(directory: Path, found: int) -> None:
    if found > schema.SCHEMA_VERSION:
        raise StoreError(
            f"the log in {directory} has format {found}, and this version reads up to format"
            f" {schema.SCHEMA_VERSION}; use the version that wrote it, or name another --data"
        )
    if found < migrate.OLDEST:
        raise StoreError(f"the database in {directory} is no log of chatsys; name another --data")
