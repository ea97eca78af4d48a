"""Network faults on real sockets: each strikes the connections that exist, says which, and is over when healed."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from harness.model.network import Cut, HalfOpen, Refuse, Reset, Slow
from harness.run.means import UnsureError
from harness.run.network import Network
from harness.run.outages import Outages
from tests.run.test_listener import connect, echo


@asynccontextmanager
async def playing(clients=("alice", "bob")):
    async with echo() as address:
        network = await Network.open(clients, seed=7)
        network.aim(address)
        try:
            yield network, Outages(network)
        finally:
            network.close()
            await asyncio.sleep(0)


async def says(pair, text):
    reader, writer = pair
    writer.write(text)
    async with asyncio.timeout(10):
        return await reader.readexactly(len(text))


async def silent(pair):
    """Whether nothing comes while everything else that is due gets its turn."""
    try:
        async with asyncio.timeout(0.05):
            return await pair[0].read(1) is None
    except TimeoutError:
        return True


def end(*connections):
    for _, writer in connections:
        writer.transport.abort()


def test_a_cut_holds_the_connections_of_one_client_and_those_to_come():
    async def scenario():
        async with playing() as (network, outages):
            alice, bob = [await connect(network.listener(name)) for name in ("alice", "bob")]
            assert await says(alice, b"a") == await says(alice, b"a")
            assert await says(bob, b"b") == b"b"
            cut = Cut(targets=("bob",), id="outage")
            assert await outages.begin(cut, 1.0) == {"connections": {"bob": [1]}}
            late = await connect(network.listener("bob"))
            bob[1].write(b"held")
            late[1].write(b"late")
            assert await says(alice, b"free") == b"free"
            assert await silent(bob)
            assert await silent(late)
            assert await outages.end("outage", ["bob"], 5.0) == {"connections": {"bob": [1, 2]}}
            async with asyncio.timeout(10):
                assert await bob[0].readexactly(4) == b"held"
                assert await late[0].readexactly(4) == b"late"
            end(alice, bob, late)

    asyncio.run(scenario())


@pytest.mark.parametrize("direction", ["to_server", "from_server"])
def test_one_direction_may_be_cut_and_two_faults_end_one_by_one(direction):
    async def scenario():
        async with playing() as (network, outages):
            bob = await connect(network.listener("bob"))
            assert await says(bob, b"hello") == b"hello"
            await outages.begin(Cut(targets=("server",), id="all", direction=direction), 1.0)
            await outages.begin(Cut(targets=("bob",), id="his"), 1.0)
            bob[1].write(b"held")
            await outages.end("his", ["bob"], 5.0)
            assert await silent(bob)
            weather = network.listener("alice")
            held = {"to_server": weather.to_server.held, "from_server": weather.from_server.held}
            assert held == {name: name == direction for name in held}
            await outages.end("all", ["server"], 5.0)
            assert await bob[0].readexactly(4) == b"held"
            end(bob)

    asyncio.run(scenario())


def test_a_reset_ends_connections_and_lets_new_ones_through():
    async def scenario():
        async with playing() as (network, outages):
            bob = await connect(network.listener("bob"))
            assert await says(bob, b"hello") == b"hello"
            assert await outages.begin(Reset(targets=("bob", "alice"), id="r"), 1.0) == {
                "connections": {"bob": [1], "alice": []}
            }
            with pytest.raises(ConnectionResetError):
                await bob[0].read()
            again = await connect(network.listener("bob"))
            assert await says(again, b"again") == b"again"
            end(bob, again)

    asyncio.run(scenario())


def test_refusing_turns_new_connections_away_and_leaves_the_others_alone():
    async def scenario():
        async with playing() as (network, outages):
            bob = await connect(network.listener("bob"))
            assert await says(bob, b"hello") == b"hello"
            await outages.begin(Refuse(targets=("bob",), id="closed"), 1.0)
            late = await connect(network.listener("bob"))
            with pytest.raises(ConnectionResetError):
                await late[0].read()
            assert await says(bob, b"still") == b"still"
            assert await outages.end("closed", ["bob"], 5.0) == {"connections": {"bob": [1]}}
            again = await connect(network.listener("bob"))
            assert await says(again, b"again") == b"again"
            end(bob, late, again)

    asyncio.run(scenario())


def test_half_open_connections_swallow_everything_and_are_reset_when_healed():
    async def scenario():
        async with playing() as (network, outages):
            bob = await connect(network.listener("bob"))
            assert await says(bob, b"hello") == b"hello"
            assert await outages.begin(HalfOpen(targets=("bob",), id="zombie"), 1.0) == {
                "connections": {"bob": [1]}
            }
            bob[1].write(b"anybody there")
            assert await silent(bob)
            again = await connect(network.listener("bob"))
            assert await says(again, b"again") == b"again"
            await outages.end("zombie", ["bob"], 5.0)
            with pytest.raises(ConnectionResetError):
                await bob[0].read()
            assert await says(again, b"still") == b"still"
            end(bob, again)

    asyncio.run(scenario())


def test_a_slow_network_passes_everything_in_order():
    async def scenario():
        async with playing() as (network, outages):
            bob = await connect(network.listener("bob"))
            slow = Slow(targets=("bob",), id="far", latency_ns=2_000_000, jitter_ns=2_000_000, rate=10**7)
            await outages.begin(slow, 1.0)
            sent = bytes(range(256)) * 40
            for start in range(0, len(sent), 1000):
                bob[1].write(sent[start : start + 1000])
            async with asyncio.timeout(10):
                assert await bob[0].readexactly(len(sent)) == sent
            end(bob)

    asyncio.run(scenario())


def test_a_client_that_goes_while_it_is_cut_off_is_no_news_to_the_server_before_the_end_of_the_cut():
    async def scenario():
        told = asyncio.get_running_loop().create_future()

        async def serve(reader, writer):
            writer.write(b"hello")
            told.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        network = await Network.open(["bob"])
        outages = Outages(network)
        network.aim(server.sockets[0].getsockname()[:2])
        bob = await connect(network.listener("bob"))
        assert await bob[0].readexactly(5) == b"hello"
        await outages.begin(Cut(targets=("bob",), id="cut"), 1.0)
        bob[1].close()
        await bob[1].wait_closed()
        assert not told.done()
        await outages.end("cut", ["bob"], 5.0)
        async with asyncio.timeout(10):
            assert await told == b""
        network.close()
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())


def test_healing_is_confirmed_by_a_connection_that_comes_through_unless_nobody_is_there():
    async def scenario():
        async with playing() as (network, outages):
            await outages.begin(Cut(targets=("bob",), id="cut"), 1.0)
            async with echo() as gone:
                pass
            network.aim(gone)  # nobody listens there, and nobody said so
            with pytest.raises(UnsureError, match=r"no connection of bob came through within 0\.1 s"):
                await outages.end("cut", ["bob"], 0.1)
            network.aim(None)  # it was ended, and its start will show it
            assert await outages.end("cut", ["bob"], 0.1) == {"connections": {"bob": []}}

    asyncio.run(scenario())
