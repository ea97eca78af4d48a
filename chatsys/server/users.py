"""UserService: who people are."""

import secrets
from typing import Any

from chatsys.core import check
from chatsys.core.entry import PutUser
from chatsys.core.model import User
from chatsys.core.outcome import UserIs
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.gate import Gate
from chatsys.server.services import House, clock_us, timestamp
from chatsys.v1 import types_pb2, user_pb2


class UserService:
    """See chatsys.v1.UserService.

    Args:
        house: What it works with.
        gate: Says who calls, and makes tokens.
        registration_open: Whether anybody may register.
    """

    def __init__(self, house: House, gate: Gate, *, registration_open: bool) -> None:
        self._house = house
        self._gate = gate
        self._open = registration_open

    async def register_user(self, request: user_pb2.RegisterUserRequest, call: Call) -> Any:
        """Makes a new user and its token. Without tokens there is none to give: the id in the metadata is enough."""
        if not (self._open or call.admin):
            raise Refusal(
                Reason.REGISTRATION_CLOSED,
                "registration is closed here; whoever has the admin scope makes users",
            )
        check.display_name(request.display_name)
        user_id = f"u-{secrets.token_hex(12)}"
        entry = PutUser(user_id, request.display_name, clock_us(), new=True)
        token, claims = self._gate.mint(user_id)
        made = await self._house.ask(entry, UserIs)
        answer = user_pb2.RegisterUserResponse(user=_user(made.user), token=token, position=self._house.now())
        if claims is not None:
            answer.expire_time.CopyFrom(timestamp(int(claims.expires_at * 1_000_000)))
        return answer

    async def get_user(self, request: user_pb2.GetUserRequest, call: Call) -> Any:
        """Reads one user."""
        user_id = request.user_id or call.user_id
        check.user_id(user_id)
        await self._house.reach(request.min_positions, call)
        user = self._house.store.reads().user(user_id)
        if user is None and user_id == call.user_id:
            # Its token says that it is somebody, though nobody told this server of it.
            user = (await self._house.ask(PutUser(user_id, None, clock_us(), new=False), UserIs)).user
        if user is None:
            raise Refusal(Reason.USER_NOT_FOUND, f"no user {user_id!r} is known", resource=("user", user_id))
        return user_pb2.GetUserResponse(user=_user(user))

    async def admit(self, call: Call, required: bool) -> None:  # noqa: FBT001  # the shape of an admission
        """Lets a caller in: makes sure who it is, and remembers the display name it wants to be shown under.

        Raises:
            Refusal: See ``Gate.identify``.
        """
        self._gate.identify(call, required=required)
        if call.display_name is None or not required:
            return
        known = self._house.store.reads().user(call.user_id)
        if known is None or known.display_name != call.display_name:
            entry = PutUser(call.user_id, call.display_name, clock_us(), new=False)
            try:
                await self._house.ask(entry, UserIs)
            except Refusal as refusal:
                # A disk that is full keeps nobody from reading: the name comes with a later call.
                if not refusal.transient:
                    raise


def _user(user: User) -> types_pb2.User:
    return types_pb2.User(
        user_id=user.user_id, display_name=user.display_name, create_time=timestamp(user.create_time_us)
    )
