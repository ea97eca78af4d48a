"""A server that leaves in good order: its clients go when told, come back, and miss nothing."""

import asyncio
from contextlib import AsyncExitStack

from chatsys.client import Client, Lost, Restored
from tests.client.real import real_server


def test_a_client_comes_back_and_misses_nothing(tmp_path):
    heard = []
    noticed = []

    async def body():
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(real_server(tmp_path))
            bob = await stack.enter_async_context(Client(server.target, user="bob"))
            alice = await stack.enter_async_context(Client(server.target, user="alice"))
            await alice.create_room("r", members=["bob"])
            listening, restored = asyncio.Event(), asyncio.Event()

            def notice(told):
                noticed.append(told)
                if isinstance(told, Restored):
                    restored.set()

            async def read():
                async for message in bob.receive(notices=notice):
                    heard.append(message.content)
                    listening.set()
                    if message.content == b"last":
                        return

            reading = asyncio.create_task(read())
            await alice.send("r", "before")
            await listening.wait()
            sending = asyncio.create_task(alice.send("r", "between", within=30))
            await server.stop()
            await server.start()
            await sending
            await restored.wait()
            await alice.send("r", "last")
            await reading

    asyncio.run(asyncio.wait_for(body(), 60))
    assert heard == [b"before", b"between", b"last"]
    assert next(told.fault.reason for told in noticed if isinstance(told, Lost)) == "DRAINING"
