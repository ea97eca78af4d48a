"""One channel to one server: who we say we are, deadlines, repeated tries, and whether it is the right server.

Invariants:
* Every unary call has a deadline, and ends by it with an answer or a `ChatError`.
* A call is repeated only when it is idempotent and its end was `retryable`; every try has the same request.
* Who closes the channel ends what is under way with a `ChatError`, not by cancelling somebody else's task.
* When told which server to expect, an answer of another one is `WrongServerError`, never a result.
"""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from grpc import aio

from chatsys.client.credentials import Credentials, Metadata, TokenSource
from chatsys.client.errors import (
    TLS,
    WRONG_SERVER,
    CancelledError,
    ChatError,
    DeadlineExceededError,
    UnavailableError,
    WrongServerError,
    from_rpc,
)
from chatsys.client.retry import DEFAULT_RETRY, RetryPolicy
from chatsys.client.tls import Tls, explain
from chatsys.v1.admin_pb2_grpc import AdminServiceStub
from chatsys.v1.chat_pb2_grpc import ChatServiceStub
from chatsys.v1.room_pb2_grpc import RoomServiceStub
from chatsys.v1.server_pb2_grpc import ServerServiceStub
from chatsys.v1.user_pb2_grpc import UserServiceStub

if TYPE_CHECKING:  # these exist in the stubs only
    from chatsys.v1.admin_pb2_grpc import AdminServiceAsyncStub
    from chatsys.v1.chat_pb2_grpc import ChatServiceAsyncStub
    from chatsys.v1.room_pb2_grpc import RoomServiceAsyncStub
    from chatsys.v1.server_pb2_grpc import ServerServiceAsyncStub
    from chatsys.v1.user_pb2_grpc import UserServiceAsyncStub

#: Names in the metadata of every answer.
INSTANCE_KEY: Final = "chatsys-instance"
RUN_KEY: Final = "chatsys-run"

CHANNEL_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    # gRPC waits 1 s to 120 s between connection tries; a server that restarts is back much sooner.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Also how long one connection try may hang.
    ("grpc.min_reconnect_backoff_ms", 1000),
    # Our own tries know the caller's deadline and pause; gRPC's would hide behind them.
    ("grpc.enable_retries", 0),
    # Two clients of one process do not share a connection, nor its pauses.
    ("grpc.use_local_subchannel_pool", 1),
    # A silent stream of a dead peer would otherwise last for hours.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A frame is far smaller; this is what a server may at most make us hold.
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
)

_CLOSED: Final = "the client was closed"
TELLING_S: Final = 0.1
"""Seconds. When a last try that had less time than this runs out of it, that says nothing about the server."""


class Expectation(NamedTuple):
    """Which server is meant. None: any.

    `run` is checked on every answer. `instance` names one life of a server process: beside a `run` it is
    checked only until the first answer, because a restarted server of the same run is the right one; alone,
    it is checked on every answer too.
    """

    instance: str | None = None
    run: str | None = None


class Identity(NamedTuple):
    """Who answered. Empty when the server did not say."""

    instance: str = ""
    run: str = ""


class Transport:
    """A channel, its stubs, and how calls are made over it. Needs a running event loop."""

    def __init__(
        self,
        target: str,
        *,
        user: str | None,
        token: str | TokenSource | None,
        tls: Tls | None = None,
        expect: Expectation,
        retry: RetryPolicy = DEFAULT_RETRY,
    ) -> None:
        self.target = target
        self._speaks_tls = tls is not None
        self._closed = False
        self._credentials = Credentials(user, token)
        self.expect = expect
        self.retry = retry
        self.identity = Identity()
        self.random = random.Random()
        options = [*CHANNEL_OPTIONS, *_proxy_option(target)]
        self._channel = (
            aio.insecure_channel(target, options=options)
            if tls is None
            else aio.secure_channel(target, tls.credentials(), options=options)
        )

    @property
    def metadata(self) -> Metadata:
        """What goes with every call.

        Raises:
            ChatError: there is to be a token, and none could be got.
        """
        return self._credentials.metadata

    def may_retry(self, fault: ChatError, shown: Metadata) -> bool:
        """Whether the same call may succeed now: by itself, or because there is another token to show.

        Args:
            fault: how the call ended.
            shown: the metadata that went with it.

        Raises:
            ChatError: there is to be a token, and none could be got.
        """
        return not self._closed and (fault.retryable or self._credentials.renew(fault, shown))

    def begin(self) -> None:
        """See that a call can be made at all.

        Raises:
            CancelledError: this was closed; the call surely did not happen.
        """
        if self._closed:
            raise CancelledError(_CLOSED, definite=True)

    def fault_of(self, ended: grpc.RpcError) -> ChatError:
        """Return what a failed call means; where TLS is the reason, with what to do about it."""
        fault = from_rpc(ended)
        if isinstance(fault, UnavailableError) and not fault.reason:
            sentence = explain(fault.message, self.target, speaks_tls=self._speaks_tls)
            if sentence is not None:
                return UnavailableError(sentence, reason=TLS, metadata={"grpc": fault.message})
        return fault

    # Stubs are made when they are first needed: a client that only sends and receives needs one of five, and
    # each costs a forked process memory that it would otherwise share.

    @functools.cached_property
    def chat(self) -> ChatServiceAsyncStub:
        """The data plane."""
        return ChatServiceStub(self._channel)

    @functools.cached_property
    def rooms(self) -> RoomServiceAsyncStub:
        """The control plane."""
        return RoomServiceStub(self._channel)

    @functools.cached_property
    def users(self) -> UserServiceAsyncStub:
        """Who people are."""
        return UserServiceStub(self._channel)

    @functools.cached_property
    def admin(self) -> AdminServiceAsyncStub:
        """For operators."""
        return AdminServiceStub(self._channel)

    @functools.cached_property
    def server(self) -> ServerServiceAsyncStub:
        """About the server itself."""
        return ServerServiceStub(self._channel)

    async def call(
        self,
        method: Any,
        request: Any,
        *,
        within: float,
        idempotent: bool = True,
        try_timeout: float | None = None,
    ) -> Any:
        """Make one unary call, repeated while that is sensible.

        Args:
            method: a method of one of the stubs.
            request: sent unchanged by every try.
            within: seconds for all of it.
            idempotent: whether it may be repeated.
            try_timeout: seconds for one try; default as the retry policy says.

        Raises:
            ChatError: how the last try ended, or DEADLINE_EXCEEDED.
        """
        deadline = time.monotonic() + within
        single = self.retry.try_timeout if try_timeout is None else try_timeout
        tries = 0
        fault: ChatError | None = None
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise fault or DeadlineExceededError(f"no time was left to call {self.target}")
            shown = self.metadata
            timeout = min(left, single) if idempotent else left
            try:
                return await self._once(method, request, timeout, shown)
            except ChatError as caught:
                # Of a last try that had no time to find out, the one before knows why.
                timed_out = isinstance(caught, DeadlineExceededError) and not caught.reason
                if not (timed_out and fault is not None and (fault.reason == TLS or timeout < TELLING_S)):
                    fault = caught
            tries += 1
            if not (idempotent and self.may_retry(fault, shown)):
                raise fault
            pause = self.retry.pause(tries, self.random.random(), fault)
            if time.monotonic() + pause >= deadline:
                raise fault
            await asyncio.sleep(pause)  # the back-off of the retry policy

    async def rest(self, tries: int, fault: ChatError | None = None) -> None:
        """Pause before the next try, as the retry policy says: longer each time, and not in step with others."""
        await asyncio.sleep(self.retry.pause(tries, self.random.random(), fault))  # the back-off, as above

    async def _once(self, method: Any, request: Any, timeout: float, shown: Metadata) -> Any:
        self.begin()
        call = method(request, timeout=timeout, metadata=shown)
        try:
            answer = await call
            # Single sends and acks say at their end who answered, all others at their beginning.
            self.check((*await call.initial_metadata(), *await call.trailing_metadata()))
        except grpc.RpcError as fault:
            # The refusal of another server says nothing about ours.
            initial: Any = fault.initial_metadata() if isinstance(fault, aio.AioRpcError) else ()
            if initial:
                self.check(initial)
            raise self.fault_of(fault) from None
        except asyncio.CancelledError:
            # gRPC says it like this also when it was the channel that ended the call, and nobody the task.
            task = asyncio.current_task()
            if not self._closed or (task is not None and task.cancelling()):
                raise
            raise CancelledError(_CLOSED) from None
        return answer

    def check(self, metadata: Iterable[tuple[str, Any]] | None) -> Identity:
        """Compare the metadata of an answer with what is expected, and remember who answered.

        Raises:
            WrongServerError: another server answered.
        """
        instance = run = ""
        for key, value in metadata or ():
            if key == INSTANCE_KEY:
                instance = value
            elif key == RUN_KEY:
                run = value
        if self.expect.run is not None and run != self.expect.run:
            raise self._wrong("run", self.expect.run, run)
        pinned = self.expect.run is None or not self.identity.instance
        if self.expect.instance is not None and pinned and instance != self.expect.instance:
            raise self._wrong("instance", self.expect.instance, instance)
        self.identity = Identity(instance, run)
        return self.identity

    def _wrong(self, what: str, expected: str, actual: str) -> WrongServerError:
        return WrongServerError(
            f"the server at {self.target} is {what} {actual or '(not said)'}, not {expected}",
            reason=WRONG_SERVER,
            metadata={"expected": expected, "actual": actual},
        )

    async def close(self, grace: float = 0.1) -> None:
        """Close the channel; waits at most `grace` seconds for it."""
        self._closed = True
        try:
            async with asyncio.timeout(grace):
                await self._channel.close()
        except TimeoutError:
            pass  # The process, or the garbage collector, ends what is left of it.


def _proxy_option(target: str) -> tuple[tuple[str, Any], ...]:
    # A proxy from the environment is meant for other hosts than this one.
    host = target.rsplit(":", 1)[0]
    local = host in ("localhost", "[::1]") or host.startswith(("127.", "unix"))
    return (("grpc.enable_http_proxy", 0),) if local else ()
