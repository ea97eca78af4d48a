"""The plain calls: one question to the server, one answer. Those about rooms are in `rooms`.

Invariants:
* Every call ends within its `within` seconds (default `DEFAULT_WITHIN`), with an answer or a `ChatError`.
* Reads are never older than anything seen before in the same `Place`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Final, Self

from chatsys.client.credentials import TokenSource
from chatsys.client.place import Place
from chatsys.client.retry import DEFAULT_RETRY, RetryPolicy
from chatsys.client.tls import Tls
from chatsys.client.transport import Expectation, Identity, Transport
from chatsys.v1.admin_pb2 import DeliveryState, ExplainDeliveryRequest
from chatsys.v1.chat_pb2 import ListMessagesRequest
from chatsys.v1.server_pb2 import GetServerInfoRequest, GetServerInfoResponse
from chatsys.v1.types_pb2 import Message, User
from chatsys.v1.user_pb2 import GetUserRequest, RegisterUserRequest, RegisterUserResponse

#: Seconds a call takes at most when its caller does not say.
DEFAULT_WITHIN: Final = 10.0


class Caller:
    """One user on one server. Needs a running event loop; usable in that loop only."""

    def __init__(
        self,
        target: str,
        *,
        user: str | None = None,
        token: str | TokenSource | None = None,
        tls: Tls | None = None,
        expect_instance: str | None = None,
        expect_run: str | None = None,
        place: Place | None = None,
        retry: RetryPolicy = DEFAULT_RETRY,
    ) -> None:
        """Make a caller; nothing is sent before its first call.

        Args:
            target: "host:port".
            user: who we are, for a server with `--auth none`.
            token: bearer token; then the server knows who we are. Or a function that gets one: it is asked
                again when the server says that the one before is good no more.
            tls: how to reach a server that speaks TLS; None speaks in the clear.
            expect_instance: see `Expectation`.
            expect_run: see `Expectation`.
            place: what was seen before by the same user, so that no read is older.
            retry: how tries are paced.
        """
        self.place = place if place is not None else Place()
        self._transport = Transport(
            target,
            user=user,
            token=token,
            tls=tls,
            expect=Expectation(expect_instance, expect_run),
            retry=retry,
        )

    @classmethod
    async def connect(cls, target: str, *, within: float = DEFAULT_WITHIN, **options: Any) -> Self:
        """Make it and see that the server answers and is the right one. Options as for the class.

        Raises:
            ChatError: nobody answered in time, or the wrong server did.
        """
        caller = cls(target, **options)
        try:
            await caller.server_info(within=within)
        except BaseException:  # also when it is cancelled: the caller never gets what it would have to close
            await caller.close()
            raise
        return caller

    @property
    def identity(self) -> Identity:
        """Who answered last; empty before the first answer."""
        return self._transport.identity

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the connection at once."""
        await self._transport.close()

    # --- the server and users ---

    async def server_info(self, *, within: float = DEFAULT_WITHIN) -> GetServerInfoResponse:
        """Return who and what the server is."""
        info: GetServerInfoResponse = await self._transport.call(
            self._transport.server.GetServerInfo, GetServerInfoRequest(), within=within
        )
        return info

    async def register(self, display_name: str, *, within: float = DEFAULT_WITHIN) -> RegisterUserResponse:
        """Make a new user with a name that may repeat; the answer has its id and token. Tried once."""
        answer: RegisterUserResponse = await self._transport.call(
            self._transport.users.RegisterUser,
            RegisterUserRequest(display_name=display_name),
            within=within,
            idempotent=False,
        )
        self.place.saw(answer.position)
        return answer

    async def get_user(self, user: str = "", *, within: float = DEFAULT_WITHIN) -> User:
        """Return a user, the caller when empty."""
        request = GetUserRequest(user_id=user, min_positions=self.place.positions())
        user_found: User = (
            await self._transport.call(self._transport.users.GetUser, request, within=within)
        ).user
        return user_found

    async def _pages(self, method: Any, request: Any, rows: str, within: float) -> AsyncIterator[Any]:
        request.min_positions.extend(self.place.positions())
        deadline = time.monotonic() + within
        while True:
            answer = await self._transport.call(method, request, within=deadline - time.monotonic())
            for row in getattr(answer, rows):
                yield row
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    # --- looking ---

    async def list_messages(
        self,
        room: str,
        *,
        after: int = 0,
        before: int = 0,
        limit: int = 0,
        page_token: str = "",
        positions: Sequence[str] = (),
        within: float = DEFAULT_WITHIN,
    ) -> tuple[list[Message], str]:
        """Read one page of a room, own messages too, moving no cursor.

        Args:
            room: its id.
            after: only messages beyond this sequence, the oldest of them first.
            before: only messages below this sequence, the newest page of them first; not with `after`.
            limit: at most so many; 0 leaves it to the server.
            page_token: from the page before; then all else must be as it was.
            positions: read from a state that includes these.
            within: seconds.

        Returns:
            The messages of the page, ascending, and the token of the next page, empty at the end.
        """
        request = ListMessagesRequest(
            room_id=room,
            page_size=limit,
            page_token=page_token,
            after_sequence=after,
            before_sequence=before,
            min_positions=() if page_token else dict.fromkeys((*self.place.positions(), *positions)),
        )
        answer = await self._transport.call(self._transport.chat.ListMessages, request, within=within)
        return list(answer.messages), answer.next_page_token

    async def explain_delivery(
        self, room: str, sequence: int, *, user: str = "", within: float = DEFAULT_WITHIN
    ) -> list[DeliveryState]:
        """Return what became of one message for every consumer, and why; needs the admin scope.

        Args:
            room: its id.
            sequence: of the message.
            user: only this one; empty means all members, past and present.
            within: seconds.
        """
        request = ExplainDeliveryRequest(
            room_id=room, sequence=sequence, user_id=user, min_positions=self.place.positions()
        )
        answer = await self._transport.call(self._transport.admin.ExplainDelivery, request, within=within)
        return list(answer.states)
