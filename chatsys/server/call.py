"""``Call``: one RPC as the services see it: who calls, until when, and how to write a frame."""

import asyncio
from typing import Any, TypeAlias

import grpc

from chatsys.core import check
from chatsys.core.model import Caller
from chatsys.errors import Reason, Refusal

USER_KEY = "chatsys-user"
"""Metadata key under which a caller names itself where no tokens are used."""
NAME_KEY = "chatsys-display-name-bin"
"""Metadata key of the display name it wants to be shown under; UTF-8, optional."""

_ANSWER_IN = 0.9
# Of the time a caller gives us; the rest is for the answer to arrive before its own clock ends the call.

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic in the stubs only


class Call:
    """One RPC under way.

    Args:
        context: gRPC's own.
        greeting: Initial metadata of the answer.

    Attributes:
        context: gRPC's own.
        user_id: The caller, or empty where the method may be called without one.
    """

    __slots__ = ("_greeting", "context", "display_name", "user_id")

    def __init__(self, context: Context, greeting: tuple[tuple[str, str], ...]) -> None:
        self.context = context
        self._greeting = greeting
        self.user_id = ""
        self.display_name: str | None = None
        for key, value in context.invocation_metadata() or ():
            if key == USER_KEY:
                self.user_id = str(value)
            elif key == NAME_KEY and isinstance(value, bytes):
                self.display_name = value.decode(errors="replace")[: check.MAX_NAME]

    def identify(self) -> None:
        """Makes sure of the caller.

        Raises:
            Refusal: TOKEN_MISSING or TOKEN_INVALID.
        """
        if not self.user_id:
            raise Refusal(Reason.TOKEN_MISSING, f"who calls? Name a user id in the metadata key {USER_KEY!r}")
        if not check.is_user_id(self.user_id):
            raise Refusal(
                Reason.TOKEN_INVALID,
                f"the metadata key {USER_KEY!r} holds no user id: 1 to 128 characters of A-Z, a-z, 0-9, '.', '_'"
                " and '-'",
            )

    @property
    def caller(self) -> Caller:
        """The caller. Without tokens everybody has the admin scope."""
        return Caller(self.user_id, admin=True)

    def until(self, seconds: float) -> float:
        """The loop's time in ``seconds``, or shortly before the call's deadline if that is sooner."""
        remaining = self.context.time_remaining()
        if remaining is not None:
            seconds = min(seconds, remaining * _ANSWER_IN)
        return asyncio.get_running_loop().time() + seconds

    async def greet(self) -> None:
        """Sends the initial metadata, once. Whoever waits for something else anyway may send it meanwhile."""
        if self._greeting:
            greeting, self._greeting = self._greeting, ()
            await self.context.send_initial_metadata(greeting)

    async def write(self, data: Any) -> None:
        """Writes one answer of a stream; returns when the transport has taken it."""
        await self.context.write(data)
