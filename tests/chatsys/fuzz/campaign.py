"""Many cases in a row against one server, and the looks before and after: nobody was forgotten, nothing leaks."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.chatsys.fuzz.cases import Case, cases, play
from tests.chatsys.fuzz.peer import Peer
from tests.chatsys.fuzz.port import bytes_on_the_port
from tests.chatsys.fuzz.stage import Stage, Vitals

T = TypeVar("T")

CHUNK = 2_000
"""Cases that Hypothesis makes in one go: it remembers all of a go."""
WITNESS = 100
"""Cases after which somebody else is served."""
LISTEN = 0.002
"""Seconds that somebody listens before leaving: the server may be at any point of what was sent."""
MOST_GROWTH = 64 * 1024 * 1024
"""Bytes by which the server may grow: SQLite's cache fills, allocators keep what they had."""


def against_methods(stage: Stage, number: int, start: int | None = None) -> tuple[Vitals, Vitals]:
    """Plays so many calls of every method.

    Args:
        stage: Whom to play against.
        number: Cases.
        start: Makes it the same cases every time; None is by chance.

    Returns:
        What the server was like before and afterwards.

    Raises:
        AssertionError: What the server did wrong; Hypothesis shows the smallest case it found.
    """
    peer: Peer | None = None

    async def once(case: Case) -> None:
        nonlocal peer
        if peer is None:  # within the loop that it needs
            peer = Peer(stage.served.address)
        await play(case, stage, peer)

    async def leave() -> None:
        if peer is not None:
            await peer.close()

    return _campaign(stage, number, start, cases(stage), once, leave)


def against_port(stage: Stage, number: int, start: int | None = None) -> tuple[Vitals, Vitals]:
    """The same with bytes on the port, each case a connection that somebody leaves without a word."""
    port = int(stage.served.ready["port"])

    async def once(data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LISTEN):
                    while await reader.read(65_536):
                        pass
        writer.transport.abort()
        ended = stage.served.process.poll()
        assert ended is None, f"the server has ended with {ended}"

    async def leave() -> None:
        """Nothing was kept."""

    return _campaign(stage, number, start, bytes_on_the_port(), once, leave)


def _campaign(
    stage: Stage,
    number: int,
    start: int | None,
    strategy: st.SearchStrategy[T],
    once: Callable[[T], Coroutine[None, None, None]],
    leave: Callable[[], Coroutine[None, None, None]],
) -> tuple[Vitals, Vitals]:
    played = 0

    async def one(case: T) -> None:
        nonlocal played
        played += 1
        await once(case)
        if played % WITNESS == 0:
            await stage.serves_others()

    async def begin() -> Vitals:
        for _ in range(3):  # what is made at the first call is no leak
            await stage.serves_others()
        return await stage.vitals()

    async def end(before: Vitals) -> Vitals:
        await stage.serves_others()
        await leave()
        return await stage.settled(before)

    with asyncio.Runner() as runner:
        before = runner.run(begin())
        for begun in range(0, number, CHUNK):
            play_all = settings(
                max_examples=min(CHUNK, number - begun),
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
            )(given(strategy)(lambda case: runner.run(one(case))))
            if start is not None:
                play_all = seed(start + begun)(play_all)
            play_all()
        after = runner.run(end(before))
    grown = after.resident - before.resident
    assert grown < MOST_GROWTH, f"the server has grown by {grown:,} bytes"
    return before, after
