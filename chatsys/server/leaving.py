"""How a server ends: asked once, it lets everybody go in their time; asked twice, at once."""

import asyncio

from chatsys.server.hub import Hub


class Leaving:
    """Waits to be asked, then sees streams off.

    Args:
        seconds: How long streams have, unless who asks says otherwise.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked = asyncio.Event()
        self._hurry = asyncio.Event()

    def ask(self, seconds: float | None = None) -> None:
        """Tells the server to end: a signal, or DrainServer."""
        if self._asked.is_set():
            self._hurry.set()
        elif seconds is not None:
            self._seconds = seconds
        self._asked.set()

    async def asked(self) -> None:
        """Waits for that."""
        await self._asked.wait()

    async def see_off(self, hub: Hub) -> None:
        """Refuses what is new, tells streams, and waits until they have left, their time is over, or it is urgent."""
        hub.drain(self._seconds)
        left = asyncio.ensure_future(hub.left())
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait((left, hurry), return_when=asyncio.FIRST_COMPLETED)
        for task in (left, hurry):
            task.cancel()
        await asyncio.gather(left, hurry, return_exceptions=True)
