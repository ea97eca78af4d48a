"""AdminService: what operators ask for. Its methods come from the modules that they belong to."""

from chatsys.server.gate import Gate
from chatsys.server.services import House
from chatsys.server.tokens import TokenMethods


class AdminService(TokenMethods):
    """See chatsys.v1.AdminService.

    Args:
        house: What it works with.
        gate: Makes and revokes tokens.
    """

    def __init__(self, house: House, gate: Gate) -> None:
        TokenMethods.__init__(self, house, gate)
