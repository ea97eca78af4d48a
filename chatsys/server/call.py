"""``Call``: one RPC as the services see it: who calls, until when, and how to write a frame."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from chatsys.core import check
from chatsys.core.model import Caller
from chatsys.errors import Refusal
from chatsys.server.observe import REQUEST_KEY

if TYPE_CHECKING:  # a server without tokens does not import them
    from chatsys.auth.tokens import Claims

USER_KEY = "chatsys-user"
"""Metadata key under which a caller names itself where no tokens are used."""
NAME_KEY = "chatsys-display-name-bin"
"""Metadata key of the display name it wants to be shown under; UTF-8, optional."""

TOKEN_KEY = "authorization"  # noqa: S105  # a word
"""Metadata key of a bearer token: ``Bearer TOKEN``."""

_ANSWER_IN = 0.9
# Of the time a caller gives us; the rest is for the answer to arrive before its own clock ends the call.

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic in the stubs only


class Call:
    """One RPC under way.

    Args:
        context: gRPC's own.
        greeting: Metadata of every answer.

    Attributes:
        context: gRPC's own.
        user_id: The caller, or empty where the method may be called without one.
        admin: Whether the caller has the admin scope.
        authorization: What it shows to prove that; empty for nothing. Never to be logged.
        request_id: What the caller calls this request; empty for nothing.
        parent: The caller's traceparent; empty for none.
        claims: What its token says, where tokens are used.
        ending: Why the call is to end before it is done, if it is.
        on_end: Called with that reason instead of the task being cancelled, by those who end in good order.
    """

    __slots__ = (
        "_greeting",
        "_task",
        "admin",
        "authorization",
        "claims",
        "context",
        "display_name",
        "ending",
        "on_end",
        "parent",
        "request_id",
        "user_id",
    )

    def __init__(self, context: Context, greeting: tuple[tuple[str, str], ...]) -> None:
        self.context = context
        self._greeting = greeting
        self.user_id = ""
        self.admin = False
        self.authorization = ""
        self.claims: Claims | None = None
        self.display_name: str | None = None
        self.request_id = ""
        self.parent = ""
        self.ending: Refusal | None = None
        self.on_end: Callable[[Refusal], None] | None = None
        self._task: asyncio.Task[Any] | None = None
        for key, value in context.invocation_metadata() or ():
            if key == TOKEN_KEY:
                self.authorization = str(value)
            elif key == USER_KEY:
                self.user_id = str(value)
            elif key == REQUEST_KEY:
                self.request_id = str(value)
            elif key == "traceparent":
                self.parent = str(value)
            elif key == NAME_KEY and isinstance(value, bytes):
                self.display_name = value.decode(errors="replace")[: check.MAX_NAME]

    @property
    def caller(self) -> Caller:
        """The caller, for the log to decide about."""
        return Caller(self.user_id, self.admin)

    def may_be_ended(self) -> None:
        """From now on ``end`` ends the task that runs this."""
        self._task = asyncio.current_task()

    def end(self, why: Refusal) -> None:
        """Ends the call before it is done: the caller gets ``why``."""
        if self.ending is None:
            self.ending = why
            if self.on_end is not None:
                self.on_end(why)
            elif self._task is not None:
                self._task.cancel()

    def until(self, seconds: float) -> float:
        """The loop's time in ``seconds``, or shortly before the call's deadline if that is sooner."""
        remaining = self.context.time_remaining()
        if remaining is not None:
            seconds = min(seconds, remaining * _ANSWER_IN)
        return asyncio.get_running_loop().time() + seconds

    async def greet(self) -> None:
        """Sends the metadata of every answer as its initial metadata, once."""
        if self._greeting:
            greeting, self._greeting = self._greeting, ()
            await self.context.send_initial_metadata(greeting)

    def sign(self) -> None:
        """Puts the same at the end of the answer instead, unless it was sent: that takes no message of its own."""
        if self._greeting:
            self.context.set_trailing_metadata(self._greeting)

    async def write(self, data: Any) -> None:
        """Writes one answer of a stream; returns when the transport has taken it."""
        await self.context.write(data)
