"""The listener forwards bytes to wherever the server is, and turns people away while it is nowhere."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from harness.run.listener import Listener


@asynccontextmanager
async def echo(mark=b""):
    """A server that sends back what it gets, `mark` first."""

    serving: set[asyncio.Task] = set()

    async def serve(reader, writer):
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            writer.write(mark)
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@asynccontextmanager
async def listening():
    listener = await Listener.open()
    try:
        yield listener
    finally:
        listener.close()
        await asyncio.sleep(0)


async def connect(listener):
    return await asyncio.open_connection(listener.host, listener.port)


def test_bytes_pass_both_ways_and_ends_are_passed_on():
    async def scenario():
        async with echo(b"hello ") as address, listening() as listener:
            listener.target = address
            reader, writer = await connect(listener)
            writer.write(b"world")
            writer.write_eof()
            assert await reader.read() == b"hello world"
            writer.close()

    asyncio.run(scenario())


def test_much_passes_unchanged_though_nobody_reads_for_a_while():
    async def scenario():
        sent = bytes(range(256)) * (1 << 14)  # 4 MiB: more than the buffers on the way hold
        async with echo() as address, listening() as listener:
            listener.target = address
            reader, writer = await connect(listener)

            async def write():
                writer.write(sent)
                await writer.drain()
                writer.write_eof()

            writing = asyncio.ensure_future(write())
            got = await reader.read()
            await writing
            assert got == sent
            writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("where", ["nowhere", "on a port that nobody listens on"])
def test_while_the_server_is_down_connections_are_reset_at_once(where):
    async def scenario():
        async with listening() as listener:
            if where != "nowhere":
                async with echo() as address:
                    listener.target = address  # and then it is gone
            reader, writer = await connect(listener)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    asyncio.run(scenario())


def test_the_server_may_come_back_on_another_port_and_old_connections_do_not_go_there():
    async def scenario():
        async with listening() as listener, echo(b"first") as address, echo(b"second") as other:
            listener.target = address
            old, old_writer = await connect(listener)
            assert await old.readexactly(5) == b"first"
            listener.target = other
            new, new_writer = await connect(listener)
            assert await new.readexactly(6) == b"second"
            old_writer.write(b"still here")
            assert await old.readexactly(10) == b"still here"
            new_writer.close()
            old_writer.close()

    asyncio.run(scenario())


def test_closing_cuts_what_is_connected():
    async def scenario():
        async with echo(b"hi") as address:
            listener = await Listener.open()
            listener.target = address
            reader, writer = await connect(listener)
            assert await reader.readexactly(2) == b"hi"
            listener.close()
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scenario())
