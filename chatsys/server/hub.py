"""``Hub``: who waits for news, and who must be woken by a commit. Lives in the loop's thread.

Invariants: ``position`` is what was published last, and whoever had to know of it was touched before it moved;
so a stream that looked at all its touched rooms may claim it. Holds no messages: only who waits for what.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from chatsys.errors import Reason, Refusal
from chatsys.server.deliveries import Deliveries
from chatsys.store import Group


class OpenStream(Protocol):
    """What others do to the open stream of a consumer."""

    @property
    def window_full(self) -> bool:
        """Whether its reader has to acknowledge before messages come."""

    def acknowledged(self, room_id: str, acked: int) -> None:
        """The consumer's cursor in a room moved."""

    def ask(self, token: str, applied: int) -> None:
        """A frame with this token is due once ``applied`` entries are published."""

    def replace(self) -> None:
        """The consumer was subscribed elsewhere."""


def draining() -> Refusal:
    """The answer to everybody while the server leaves."""
    return Refusal(Reason.DRAINING, "the server is about to leave; connect again", retry_after=0.1)


class Watcher:
    """One reader that waits for news of some rooms: a stream, or a poll that waits.

    Args:
        hub: Where it registers itself, until ``close``.
        user_id: Whose memberships bring rooms in and out.
        only: Room ids that it is confined to; None for all.
        tells: Whether its reader is told of a room as soon as its user is in it, with messages or without.
    """

    def __init__(self, hub: "Hub", user_id: str, only: frozenset[str] | None, *, tells: bool = True) -> None:
        self.user_id = user_id
        self.only = only
        self.touched: set[str] = set()
        self.round = 0
        self._hub = hub
        self._rooms: set[str] = set()
        self._news = False
        self._tells = tells
        self._due = False
        self._waiter: asyncio.Future[None] | None = None
        hub.by_user.setdefault(user_id, set()).add(self)

    def watch(self, room_id: str) -> None:
        """From now on entries of this room touch the watcher."""
        if room_id not in self._rooms:
            self._rooms.add(room_id)
            self._hub.by_room.setdefault(room_id, set()).add(self)

    def unwatch(self, room_id: str) -> None:
        """No more of this room, but for memberships of the user."""
        if room_id in self._rooms:
            self._rooms.discard(room_id)
            _drop(self._hub.by_room, room_id, self)

    def close(self) -> None:
        """Waits no more."""
        for room_id in tuple(self._rooms):
            self.unwatch(room_id)
        _drop(self._hub.by_user, self.user_id, self)
        self._hub.positions_awaited.discard(self)
        self._hub.settled(self)

    def touch(self, room_id: str) -> bool:
        """There is news in a room. True if this wakes the watcher up."""
        if self.only is not None and room_id not in self.only:
            return False
        self.touched.add(room_id)
        return self.wake()

    def owe(self, room_id: str) -> None:
        """The user came into a room, left it, or has another role there: of one in scope the reader is told."""
        self._due = self._due or (self._tells and (self.only is None or room_id in self.only))

    def wake(self) -> bool:
        """Makes ``wait`` return. True if it was waiting."""
        self._news = True
        waiter = self._waiter
        if waiter is None or waiter.done():
            return False
        waiter.set_result(None)
        return True

    def lingers(self) -> bool:
        """Whether it stays for a while though the server leaves."""
        return False

    async def wait(self, until: float | None = None) -> bool:
        """Until something is new since the last call returned, or the loop's clock says ``until``.

        Returns:
            False when something is due even where there is nothing new to read: the time has come, or the user is in
            a room that its reader is to be told of.

        Raises:
            Refusal: DRAINING.
        """
        self._hub.settled(self)
        if not self._news:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            timer = None if until is None else loop.call_at(until, _expire, waiter)
            try:
                await waiter
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
        if self._hub.draining and not self.lingers():
            raise draining()
        news, self._news = self._news, False
        due, self._due = self._due, False
        return news and not due


class Hub:
    """All readers of one server.

    Args:
        position: Entries applied when the server started.
        released: Called when the fan-out of the last commit is done.
    """

    def __init__(self, position: int, released: Callable[[], None]) -> None:
        self.position = position
        self.draining = False
        self.being_written = 0  # bytes of the frames that streams wait to get rid of
        self.deliveries = Deliveries()
        self.drain_until = 0.0
        """By the loop's clock: then streams are ended that have not left by themselves."""
        self.closing = False
        self.delivered = 0
        """Messages written to streams."""
        self._gone: asyncio.Future[None] | None = None
        self.by_room: dict[str, set[Watcher]] = {}
        self.by_user: dict[str, set[Watcher]] = {}
        self.streams: dict[tuple[str, str], OpenStream] = {}
        self.leaving: set[Callable[[], None]] = set()
        self.positions_awaited: set[Watcher] = set()  # woken by every commit, until they are closed
        self._released = released
        self._round = 0
        self._awaited = 0
        self._positions: set[tuple[int, asyncio.Future[None]]] = set()

    def publish(self, group: Group) -> bool:
        """Wakes whoever must know of a commit.

        Returns:
            True if nobody was woken; otherwise ``released`` is called when the last of them has read and written.
        """
        self._round += 1
        self._awaited = 0
        for room_id, user_id in group.memberships:
            watchers = self.by_user.get(user_id, ())
            for watcher in watchers:
                watcher.owe(room_id)
            self._touch(watchers, room_id)
        for room_id in group.heads:
            self._touch(self.by_room.get(room_id, ()), room_id)
        for room_id, user_id, consumer_id, acked in group.cursors:
            stream = self.streams.get((user_id, consumer_id))
            if stream is not None:
                stream.acknowledged(room_id, acked)
        self.position = group.position
        for needed, future in tuple(self._positions):
            if needed <= self.position and not future.done():
                future.set_result(None)
        for watcher in tuple(self.positions_awaited):
            watcher.wake()
        return self._awaited == 0

    def touch(self, room_id: str) -> None:
        """Makes all who watch a room look at it again."""
        for watcher in tuple(self.by_room.get(room_id, ())):
            watcher.touch(room_id)

    def settled(self, watcher: Watcher) -> None:
        """A woken watcher has done its part of the fan-out."""
        if watcher.round and watcher.round == self._round:
            self._awaited -= 1
            if self._awaited == 0:
                self._released()
        watcher.round = 0

    async def reached(self, applied: int, until: float) -> None:
        """Waits until ``applied`` entries are published.

        Raises:
            Refusal: POSITION_NOT_REACHED when the loop's clock says ``until`` first.
        """
        if applied <= self.position:
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiting = (applied, future)
        self._positions.add(waiting)
        timer = loop.call_at(until, _expire, future)
        try:
            await future
        finally:
            timer.cancel()
            self._positions.discard(waiting)
        if self.draining:
            raise draining()
        if applied > self.position:
            raise Refusal(
                Reason.POSITION_NOT_REACHED,
                "the positions asked for were not reached here in time",
                metadata={"applied": str(self.position)},
            )

    def drain(self, seconds: float) -> None:
        """Ends every wait with DRAINING, now and from now on; streams are told, and have some seconds to leave."""
        self.draining = True
        self.drain_until = asyncio.get_running_loop().time() + seconds
        self._wake_all()
        for _, future in self._positions:
            if not future.done():
                future.set_result(None)
        for leave in tuple(self.leaving):
            leave()

    async def left(self) -> None:
        """Waits until all streams have left, or their time is over; then ends those that are still there."""
        if self.streams:
            loop = asyncio.get_running_loop()
            self._gone = loop.create_future()
            timer = loop.call_at(self.drain_until, _expire, self._gone)
            try:
                await self._gone
            finally:
                timer.cancel()
        self.closing = True
        self._wake_all()

    def ended(self, key: tuple[str, str], stream: OpenStream) -> None:
        """A stream is over."""
        if self.streams.get(key) is stream:
            del self.streams[key]
        if not self.streams and self._gone is not None:
            _expire(self._gone)

    def _wake_all(self) -> None:
        for watchers in tuple(self.by_user.values()):
            for watcher in tuple(watchers):
                watcher.wake()

    def _touch(self, watchers: Iterable[Watcher], room_id: str) -> None:
        for watcher in watchers:
            if watcher.touch(room_id):
                watcher.round = self._round
                self._awaited += 1


def _drop(index: dict[str, set[Watcher]], key: str, watcher: Watcher) -> None:
    watchers = index.get(key)
    if watchers is not None:
        watchers.discard(watcher)
        if not watchers:
            del index[key]


def _expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
