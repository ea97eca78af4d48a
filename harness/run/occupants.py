"""Who is in which room now, as far as the answers of the server tell."""

from __future__ import annotations

from harness.model.history import Op
from harness.model.plan import Plan


class Occupants:
    """A live view of memberships, folded from a history as it is recorded.

    Args:
        plan: whose clients act, and whose rooms are there from the start.
    """

    def __init__(self, plan: Plan) -> None:
        self._users = {client.name: client.user for client in plan.clients}
        self._members = {room.name: dict.fromkeys(room.members) for room in plan.rooms}

    @property
    def rooms(self) -> tuple[str, ...]:
        """Every room that is there."""
        return tuple(self._members)

    def rooms_of(self, user: str) -> list[str]:
        """Return the rooms this user is in."""
        return [room for room, users in self._members.items() if user in users]

    def watch(self, op: Op) -> None:
        """Take note of one recorded operation."""
        room = op.value.get("room")
        if op.type == "invoke" or not isinstance(room, str):
            return
        if op.f == "create" and op.type != "fail" and room not in self._members:
            # One that was not answered may be there: it is read at the end all the same.
            self._members[room] = dict.fromkeys(map(str, op.value.get("members", ())))
        elif op.f in ("join", "add", "leave", "kick") and op.type == "ok":
            user = op.value.get("user") or self._users.get(op.client, op.client)
            members = self._members.setdefault(room, {})
            if op.f in ("join", "add"):
                members[user] = None
            else:
                members.pop(user, None)
