"""Limits on what one user may do: how fast, how many rooms, how many readers; and how many members a room has.

Rates are token buckets that may go into debt: a batch larger than the bucket passes when the bucket is full, and is
paid for afterwards, so that waiting as long as was said always helps. Counts are exact: what is on its way to the
log counts as if it were there. All of it in the loop's thread; a server's memory of rates is bounded.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator

from chatsys.core.entry import Add, CreateRoom, Join, LogEntry, OpenDirect
from chatsys.core.model import Entry, Role
from chatsys.core.rooms import direct_room_id
from chatsys.errors import Reason, Refusal
from chatsys.server.hub import Hub
from chatsys.server.settings import Limits
from chatsys.store import Reads

MAX_BUCKETS = 10_000
"""Users whose rate is remembered; beyond that, those are forgotten who have not sent for long enough."""

_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


class Rate:
    """A token bucket for each user.

    Args:
        rate: Tokens a second; 0 sets no limit.
        burst: Size of a bucket.
        clock: Seconds, never going back.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, user_id: str, tokens: int) -> None:
        """Takes tokens out of a user's bucket.

        Raises:
            Refusal: RATE_LIMITED; nothing was taken.
        """
        if not self._rate:
            return
        now = self._clock()
        level, then = self._buckets.get(user_id, (self._burst, now))
        level = min(self._burst, level + (now - then) * self._rate)
        missing = min(float(tokens), self._burst) - level
        if missing > 0:
            raise Refusal(
                Reason.RATE_LIMITED,
                f"{self._rate:g} messages a second are allowed, {self._burst:g} at once; wait, and try again",
                retry_after=missing / self._rate,
            )
        if user_id not in self._buckets and len(self._buckets) >= MAX_BUCKETS:
            self._forget(now)
        self._buckets[user_id] = (level - tokens, now)

    def _forget(self, now: float) -> None:
        full = [
            user
            for user, (level, then) in self._buckets.items()
            if level + (now - then) * self._rate >= self._burst
        ]
        for user in full or list(self._buckets)[: MAX_BUCKETS // 2]:
            del self._buckets[user]


class Guard:
    """Holds users to the limits of one server.

    Args:
        limits: What they are.
        clock: Seconds, never going back.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.sends = Rate(limits.send_rate, limits.send_burst, clock)
        self._limits = limits
        self._rooms_coming: Counter[str] = Counter()
        self._members_coming: Counter[str] = Counter()

    def subscribing(self, hub: Hub, user_id: str, consumer_id: str | None) -> None:
        """Before a stream is opened, or a poll waits: then there is no consumer to take over from.

        Raises:
            Refusal: TOO_MANY_SUBSCRIPTIONS.
        """
        most = self._limits.max_subscriptions
        # Who takes over ends another, which counts until its reader has gone: one at a time may be on its way out.
        replaces = consumer_id is not None and (user_id, consumer_id) in hub.streams
        if len(hub.by_user.get(user_id, ())) >= most + replaces:
            raise Refusal(
                Reason.TOO_MANY_SUBSCRIPTIONS,
                f"{most} streams and waiting polls of one user are allowed; end one of them first",
                metadata={"limit": str(most)},
            )

    def changing(
        self, reads: Callable[[], Reads], entry: LogEntry
    ) -> contextlib.AbstractContextManager[None]:
        """Around the deciding of an entry, which may bring users into rooms.

        Raises:
            Refusal: TOO_MANY_ROOMS or TOO_MANY_MEMBERS.
        """
        if isinstance(entry, CreateRoom | Join | Add):
            return self._joining(reads(), entry.room_id, _coming(reads(), entry))
        if isinstance(entry, OpenDirect):
            room_id = direct_room_id(entry.caller.user_id, entry.user_id)
            return self._joining(reads(), room_id, _meeting(reads(), room_id, entry))
        return _NOTHING

    @contextlib.contextmanager
    def _joining(self, reads: Reads, room_id: str, users: list[str]) -> Iterator[None]:
        self._check(reads, room_id, users)
        self._rooms_coming.update(users)
        self._members_coming[room_id] += len(users)
        try:
            yield
        finally:
            self._rooms_coming -= Counter(users)
            self._members_coming -= Counter({room_id: len(users)})

    def _check(self, reads: Reads, room_id: str, users: list[str]) -> None:
        most = self._limits.max_rooms_per_user
        for user_id in users:
            if reads.count_rooms(user_id) + self._rooms_coming[user_id] >= most:
                raise Refusal(
                    Reason.TOO_MANY_ROOMS,
                    f"user {user_id!r} is in as many rooms as are allowed, {most}",
                    metadata={"limit": str(most)},
                )
        most = self._limits.max_members_per_room
        found = reads.room(room_id) if users else None
        there = 0 if found is None else reads.count_members(found[0])[0]
        if users and there + self._members_coming[room_id] + len(users) > most:
            raise Refusal(
                Reason.TOO_MANY_MEMBERS,
                f"room {room_id!r} would have more members than are allowed, {most}",
                metadata={"limit": str(most)},
            )


def _meeting(reads: Reads, room_id: str, entry: OpenDirect) -> list[str]:
    """Those of the two of a conversation who are not in it yet, or not any more."""
    both = [entry.caller.user_id, entry.user_id]
    found = reads.room(room_id)
    if found is None:
        return both
    members = {user_id: reads.membership(found[0], room_id, user_id) for user_id in both}
    return [user_id for user_id, member in members.items() if member is None or not member.current]


def _coming(reads: Reads, entry: CreateRoom | Join | Add) -> list[str]:
    """Users whom an entry would bring into its room, if it is allowed; nobody where it surely is not.

    Who may not change a room must not learn by a limit that it is there.
    """
    found = reads.room(entry.room_id)
    if isinstance(entry, CreateRoom):
        return [] if found is not None else [user_id for user_id, _ in entry.members]
    if found is None:
        return []
    number, room = found
    caller = reads.membership(number, entry.room_id, entry.caller.user_id)
    current = caller is not None and caller.current
    if isinstance(entry, Join):
        return [entry.caller.user_id] if room.entry is Entry.OPEN and not (room.deleted or current) else []
    if not entry.caller.admin and not (caller is not None and caller.current and caller.role is Role.ADMIN):
        return []
    member = reads.membership(number, entry.room_id, entry.user_id)
    return [] if member is not None and member.current else [entry.user_id]
