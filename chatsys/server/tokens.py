"""The part of AdminService that makes and revokes tokens."""

from typing import Any

from chatsys.core import check
from chatsys.core.entry import PutUser
from chatsys.core.outcome import UserIs
from chatsys.errors import Reason, Refusal
from chatsys.server.call import Call
from chatsys.server.gate import LONGEST, Gate
from chatsys.server.services import House, clock_us, timestamp
from chatsys.v1 import admin_pb2


class TokenMethods:
    """See chatsys.v1.AdminService.

    Args:
        house: What they work with.
        gate: Makes and revokes.
    """

    def __init__(self, house: House, gate: Gate) -> None:
        self._house = house
        self._gate = gate

    async def create_token(self, request: admin_pb2.CreateTokenRequest, call: Call) -> Any:
        """Makes a token for anybody."""
        self._allow(call)
        check.user_id(request.user_id)
        check.display_name(request.display_name)
        lifetime = request.lifetime.ToNanoseconds() / 1e9
        if not 0 <= lifetime <= LONGEST:
            raise Refusal.field("lifetime", f"is {lifetime:g} s; it is from 0 to {LONGEST:g} s")
        token, claims = self._gate.mint(request.user_id, request.scopes, lifetime)
        assert claims is not None, "there are tokens: _allow has seen to it"
        if request.display_name:
            await self._house.ask(
                PutUser(request.user_id, request.display_name, clock_us(), new=False), UserIs
            )
        return admin_pb2.CreateTokenResponse(
            token=token,
            token_id=claims.token_id,
            expire_time=timestamp(int(claims.expires_at * 1_000_000)),
        )

    async def revoke_tokens(self, request: admin_pb2.RevokeTokensRequest, call: Call) -> Any:
        """Revokes one token, or all of a user."""
        self._allow(call)
        match request.WhichOneof("target"):
            case "token_id" if 1 <= len(request.token_id) <= check.MAX_NAME:
                self._gate.revoke(token_id=request.token_id)
            case "user_id":
                check.user_id(request.user_id)
                self._gate.revoke(user_id=request.user_id)
            case target:
                raise Refusal.field(target or "target", "names nothing: give token_id or user_id")
        return admin_pb2.RevokeTokensResponse(position=self._house.now())

    def _allow(self, call: Call) -> None:
        needs_admin(call)
        if not self._gate.tokens:
            raise Refusal(Reason.TOKENS_NOT_USED, "this server believes every name (--auth none)")


def needs_admin(call: Call) -> None:
    """Lets pass who has the admin scope.

    Raises:
        Refusal: ROLE_REQUIRED.
    """
    if not call.admin:
        raise Refusal(Reason.ROLE_REQUIRED, "this needs the admin scope", metadata={"required_role": "admin"})
