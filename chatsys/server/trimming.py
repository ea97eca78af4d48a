"""``Trimmer``: removes what rooms need not keep, a few entries at a time, behind everybody's back but the log's.

Each piece is an entry that the writer decides at its place, like any other, so that no reader sees half of it and
nobody waits for long behind it. Invariant: at most one piece is under way, and a pass looks at a bounded number of
rooms; what a pass did not reach comes with the next one.
"""

import asyncio
import logging
import sqlite3

from chatsys.core.entry import Trim
from chatsys.core.outcome import Trimmed
from chatsys.errors import Refusal
from chatsys.server.services import House, clock_us

log = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds between two passes: how long after its time something may still be there."""
PIECE = 500
"""Entries that one piece removes at most; half of what one batch of messages stores."""
ROOMS = 200
"""Rooms that one pass looks at."""


class Trimmer:
    """Goes over the rooms that have a limit, or were deleted, again and again.

    Args:
        house: What it works with.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._after = 0

    async def run(self) -> None:
        """Until it is cancelled. What cannot be done is tried again with the next pass, and said once."""
        said = ""
        while True:
            try:
                await self._pass()
                said = ""
            except Exception as fault:  # whatever it was, the other rooms have their limits all the same
                expected = isinstance(fault, (Refusal, sqlite3.Error))
                if said != repr(fault):
                    log.warning("old entries could not be removed: %s", fault, exc_info=not expected)
                said = repr(fault)
            await asyncio.sleep(PAUSE)  # age is what it waits for: nothing tells of that

    async def _pass(self) -> None:
        rooms = self._house.store.reads().to_trim(self._after, ROOMS)
        self._after = rooms[-1][0] if len(rooms) == ROOMS else 0
        for _, room in rooms:
            # Asked of the writer only when something is due: an entry that changes nothing costs it too.
            if room.deleted or room.head - room.first >= room.max_entries > 0 or self._is_old(room.room_id):
                await self._trim(room.room_id)

    def _is_old(self, room_id: str) -> bool:
        reads = self._house.store.reads()
        found = reads.room(room_id)
        if found is None or not found[1].max_age_us:
            return False
        number, room = found
        return reads.aged(number, room.first, clock_us() - room.max_age_us, 1) >= room.first

    async def _trim(self, room_id: str) -> None:
        while (await self._house.ask(Trim(clock_us(), room_id, PIECE), Trimmed)).more:
            pass  # others' entries come in between: they wait in the same queue
