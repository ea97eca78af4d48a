"""One call on its way: from a client to the server and back, whatever it carries, struck by at most one fault.

Requests and answers are bytes, and every call is taken for one of many requests and many answers, which on the wire
is what all calls are. Metadata, status, deadline and cancellation pass through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, NoReturn

import grpc
from grpc import aio

from harness.proxy.traps import Trap, Traps

#: What gRPC writes anew for each connection, and the caller of a call may not write.
_OWN: Final = frozenset({"user-agent", "grpc-accept-encoding", "accept-encoding", "te", "content-type"})
#: How long the second of two equal requests may take; a stream would go on for ever.
_COPY_S: Final = 5.0

CHANNEL_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)

#: Told of a call that was struck: (trap, client, method).
Fired = Callable[[Trap, str, str], None]


class Way:
    """Where the server is now, for all calls."""

    def __init__(self) -> None:
        self._channel: aio.Channel | None = None

    @property
    def channel(self) -> aio.Channel | None:
        """To the server; None while it is down."""
        return self._channel

    async def aim(self, target: str | None) -> None:
        """Lead calls to this address from now on; those under way end with the old one."""
        old, self._channel = self._channel, None
        if target is not None:
            self._channel = aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        if old is not None:
            await old.close()


class Passage(grpc.GenericRpcHandler):
    """Passes the calls of one client."""

    def __init__(self, client: str, way: Way, traps: Traps, fired: Fired) -> None:
        self._client = client
        self._way = way
        self._traps = traps
        self._fired = fired

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Take any call."""
        method = handler_call_details.method

        async def carry(requests: AsyncIterator[bytes], context: Any) -> None:
            await self._carry(method, requests, context)

        return grpc.stream_stream_rpc_method_handler(carry)

    async def _carry(self, method: str, requests: AsyncIterator[bytes], context: Any) -> None:
        trap = self._traps.catch(self._client, method)
        channel = self._way.channel
        if channel is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is down")
        assert channel is not None
        what = (trap.what, trap.part) if trap is not None else ("", "")
        if what == ("lose", "request"):
            self._tell(trap, method)
            await _silence()
        if what == ("delay", "request"):
            assert trap is not None
            await asyncio.sleep(trap.delay_s)  # the fault itself: so long is what the scenario says
            self._tell(trap, method)
        said: list[bytes] = []
        call = _open(channel, method, _kept(requests, said), context)
        try:
            began = False
            try:
                await context.send_initial_metadata(await call.initial_metadata())
                async for answer in call:
                    if what[1] == "response" and not began:
                        began = True
                        await self._strike(trap, method, call)
                    await context.write(answer)
            except aio.AioRpcError:
                pass  # its status says it all
            if what[1] == "response" and not began:
                await self._strike(trap, method, call)
            if what[0] == "duplicate":
                await _again(channel, method, said, context)
                self._tell(trap, method)
            code, trailing = await call.code(), await call.trailing_metadata()
            if code is not grpc.StatusCode.OK:
                await context.abort(code, await call.details() or "", _passed(trailing))
            context.set_trailing_metadata(_passed(trailing))
        finally:
            call.cancel()

    async def _strike(self, trap: Trap | None, method: str, call: Any) -> None:
        """Lose or delay an answer of which the first piece has come."""
        assert trap is not None
        if trap.what == "delay":
            await asyncio.sleep(trap.delay_s)  # the fault itself: so long is what the scenario says
            self._tell(trap, method)
            return
        self._tell(trap, method)
        try:
            async for _ in call:  # the server must not notice
                pass
        except aio.AioRpcError:
            pass
        await _silence()

    def _tell(self, trap: Trap | None, method: str) -> None:
        assert trap is not None
        self._fired(trap, self._client, method)


def _open(channel: aio.Channel, method: str, requests: AsyncIterator[bytes], context: Any) -> Any:
    metadata = _passed(context.invocation_metadata())
    opener: Any = channel.stream_stream(method)  # takes bytes and gives bytes: nothing is serialised
    return opener(requests, metadata=metadata, timeout=context.time_remaining())


async def _again(channel: aio.Channel, method: str, said: list[bytes], context: Any) -> None:
    """Ask the same once more, and throw the answer away."""

    async def repeated() -> AsyncIterator[bytes]:
        for request in said:
            yield request

    call = _open(channel, method, repeated(), context)
    try:
        async with asyncio.timeout(_COPY_S):
            async for _ in call:
                pass
    except (aio.AioRpcError, TimeoutError):
        pass  # whatever became of it
    finally:
        call.cancel()


async def _kept(requests: AsyncIterator[bytes], said: list[bytes]) -> AsyncIterator[bytes]:
    async for request in requests:
        said.append(request)
        yield request


def _passed(metadata: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((key, value) for key, value in metadata or () if key not in _OWN)


async def _silence() -> NoReturn:
    """Say nothing until the caller has enough."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends a silence")


def counts(traps: Traps) -> Mapping[str, int]:
    """Return how often each RPC was called, the busiest first."""
    return dict(sorted(traps.seen.items(), key=lambda item: -item[1]))
