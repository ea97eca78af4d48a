"""UserService: who people are."""

import secrets
from typing import Any

from chatsys.core import check
from chatsys.core.entry import PutUser
from chatsys.core.model import User
from chatsys.core.outcome import UserIs
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.services import House, clock_us, timestamp
from chatsys.v1 import types_pb2, user_pb2


class UserService:
    """See chatsys.v1.UserService.

    Args:
        house: What it works with.
    """

    def __init__(self, house: House) -> None:
        self._house = house

    async def register_user(self, request: user_pb2.RegisterUserRequest, call: Call) -> Any:  # noqa: ARG002  # open to all
        """Makes a new user. Without tokens there is none to give: the id in the metadata is enough."""
        check.display_name(request.display_name)
        user_id = f"u-{secrets.token_hex(12)}"
        entry = PutUser(user_id, request.display_name, clock_us(), new=True)
        made = await self._house.ask(entry, UserIs)
        return user_pb2.RegisterUserResponse(user=_user(made.user), position=self._house.now())

    async def get_user(self, request: user_pb2.GetUserRequest, call: Call) -> Any:
        """Reads one user."""
        user_id = request.user_id or call.user_id
        check.user_id(user_id)
        await self._house.reach(request.min_positions, call)
        user = self._house.store.reads().user(user_id)
        if user is None:
            raise Refusal(Reason.USER_NOT_FOUND, f"no user {user_id!r} is known", resource=("user", user_id))
        return user_pb2.GetUserResponse(user=_user(user))

    async def admit(self, call: Call) -> None:
        """Lets a caller in: makes sure of its id, and remembers the display name it wants to be shown under.

        Raises:
            Refusal: TOKEN_MISSING or TOKEN_INVALID.
        """
        call.identify()
        if call.display_name is None:
            return
        known = self._house.store.reads().user(call.user_id)
        if known is None or known.display_name != call.display_name:
            await self._house.ask(PutUser(call.user_id, call.display_name, clock_us(), new=False), UserIs)


def _user(user: User) -> types_pb2.User:
    return types_pb2.User(
        user_id=user.user_id, display_name=user.display_name, create_time=timestamp(user.create_time_us)
    )
