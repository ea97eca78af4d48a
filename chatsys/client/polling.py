"""Polling: one question, one answer with what is new; nothing of it comes twice.

Invariants:
* One poll at a time; others queue, in the order in which they came.
* A poll that fails hands nothing over: what an answer on its way held comes again.
* After the server's log was lost or restored, reading begins at the cursors again, and the answer says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chatsys.client.errors import LogEpochChangedError
from chatsys.client.place import Delta, Place
from chatsys.client.transport import Transport
from chatsys.v1.chat_pb2 import PollRequest


class Polled(NamedTuple):
    """What a poll brought, less what the application already had."""

    deltas: tuple[Delta, ...]
    position: str
    caught_up: bool
    epoch_changed: bool = False
    """The server's log was lost or restored since the last answer; reading began at the cursors again."""


class Poller:
    """Polls for one consumer.

    Args:
        transport: makes the calls.
        place: what was handed over so far.
        forgotten: told when all sequences known so far became void.
    """

    def __init__(self, transport: Transport, place: Place, forgotten: Callable[[], None]) -> None:
        self._transport = transport
        self._place = place
        self._forgotten = forgotten
        self._turn = asyncio.Lock()

    async def poll(
        self, request: PollRequest, positions: Sequence[str], within: float, *, patient: bool
    ) -> Polled:
        """Ask, with what this place has seen filled in.

        Args:
            request: what the caller asks for, `min_positions` and `resume_after` left open.
            positions: answer only from a state that includes these, and all that was seen before.
            within: seconds for all of it.
            patient: try again while that is sensible.

        Raises:
            ChatError: nothing was handed over.
        """
        async with self._turn:
            try:
                return await self._once(request, positions, within, patient=patient)
            except LogEpochChangedError:
                self._place.forget()
                self._forgotten()
                del request.acks[:]
                answer = await self._once(request, positions, within, patient=patient)
                return answer._replace(epoch_changed=True)

    async def _once(
        self, request: PollRequest, positions: Sequence[str], within: float, *, patient: bool
    ) -> Polled:
        transport, place, known = self._transport, self._place, self._place.positions()
        request.min_positions[:] = dict.fromkeys((*known, *positions))
        del request.resume_after[:]
        request.resume_after.extend(place.resume_after(request.room_ids))
        answer = await transport.call(
            transport.chat.Poll,
            request,
            within=within,
            idempotent=patient,
            try_timeout=transport.retry.try_timeout + request.wait.ToTimedelta().total_seconds(),
        )
        place.saw(answer.position, known)
        deltas = tuple(delta for raw in answer.deltas if (delta := place.take(raw)) is not None)
        return Polled(deltas, answer.position, answer.caught_up)
