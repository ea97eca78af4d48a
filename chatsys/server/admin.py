"""AdminService: what operators ask for. Its methods come from the modules that they belong to."""

from collections.abc import Callable
from typing import Any

from chatsys.errors import Refusal
from chatsys.server.call import Call
from chatsys.server.explain import ExplainMethods
from chatsys.server.gate import Gate
from chatsys.server.services import House
from chatsys.server.tokens import TokenMethods, needs_admin
from chatsys.v1 import admin_pb2

MAX_GRACE = 3_600.0


class AdminService(TokenMethods, ExplainMethods):
    """See chatsys.v1.AdminService.

    Args:
        house: What it works with.
        gate: Makes and revokes tokens.
        leave: Tells the server to end; streams have so many seconds, or as many as its settings say.
    """

    def __init__(self, house: House, gate: Gate, leave: Callable[[float | None], None]) -> None:
        TokenMethods.__init__(self, house, gate)
        ExplainMethods.__init__(self, house)
        self._leave = leave

    async def drain_server(self, request: admin_pb2.DrainServerRequest, call: Call) -> Any:
        """Tells the server to end in good order."""
        needs_admin(call)
        grace = request.grace.ToNanoseconds() / 1e9
        if not 0 <= grace <= MAX_GRACE:
            raise Refusal.field("grace", f"is {grace:g} s; it is from 0 to {MAX_GRACE:g} s")
        open_streams = len(self._house.hub.streams)
        self._leave(grace if request.HasField("grace") else None)
        return admin_pb2.DrainServerResponse(open_streams=open_streams)
