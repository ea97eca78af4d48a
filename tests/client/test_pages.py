"""Lists of many pages: all of them together end within the caller's time, with an answer or a `ChatError`."""

from __future__ import annotations

import asyncio

import pytest

from chatsys.client import Client, DeadlineExceededError
from chatsys.v1.chat_pb2 import ListCursorsResponse
from tests.client.scripted import Scripted, serving


class Endless(Scripted):
    """Answers each page at once, and has always one more."""

    async def ListCursors(self, request, context):  # noqa: N802 - its name in the contract
        await self._begin(request, context)
        return ListCursorsResponse(next_page_token=f"{int(request.page_token or 0) + 1}")


def test_pages_without_end_end_with_the_callers_time():
    async def main():
        server = Endless()
        async with serving(server) as target, Client(target, user="bob") as client:
            with pytest.raises(DeadlineExceededError):
                await client.list_cursors(within=0.3)
        assert len(server.requests) > 1

    asyncio.run(asyncio.wait_for(main(), 20))
