"""The plan's names and the ids they have on a server, both ways.

Ids carry the run, so that runs that share a server do not meet. What a server says that is no id of ours stays
as it came: it is for the judge to wonder about.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.model.history import FENCE, HARNESS
from harness.model.plan import Plan


def message_key(message: str) -> str:
    """Return the client message id for a message of the plan: printable ASCII, at most 64 characters."""
    if len(message) <= 64 and message.isascii() and message.isprintable() and " " not in message:
        return message
    return hashlib.sha256(message.encode()).hexdigest()[:32]


class Names:
    """The ids of one run.

    Args:
        plan: whose users and rooms are named.
        run: suffix of every id, `[a-z0-9]+`.
    """

    def __init__(self, plan: Plan, run: str) -> None:
        users = dict.fromkeys([*(client.user for client in plan.clients), HARNESS, FENCE])
        rooms = plan.room_names()
        self._user_ids = _ids(users, run, "[^A-Za-z0-9._-]")
        self._room_ids = _ids(rooms, run, "[^a-z0-9-]")
        self._users = {id_: name for name, id_ in self._user_ids.items()}
        self._rooms = {id_: name for name, id_ in self._room_ids.items()}

    def user_id(self, user: str) -> str:
        """Return the id of a user of the plan."""
        return self._user_ids[user]

    def room_id(self, room: str) -> str:
        """Return the id of a room of the plan."""
        return self._room_ids[room]

    def user(self, id_: str) -> str:
        """Return the plan's name for a user id."""
        return self._users.get(id_, id_)

    def room(self, id_: str) -> str:
        """Return the plan's name for a room id."""
        return self._rooms.get(id_, id_)

    def by_room(self, by_id: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return values by the plan's names of the rooms whose ids they have."""
        return {self.room(room): value for room, value in (by_id or {}).items()}


def _ids(names: Iterable[str], run: str, forbidden: str) -> dict[str, str]:
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for number, name in enumerate(names, start=1):
        stem = re.sub(forbidden, "-", name if "A-Z" in forbidden else name.lower())[:40].strip("-")
        stem = stem or "x"
        # Two names may differ only in characters that an id cannot have; and one may look like another with a number.
        numbered = (f"{stem}-{more}-{run}" for more in itertools.count(number))
        id_ = next(id_ for id_ in itertools.chain([f"{stem}-{run}"], numbered) if id_ not in taken)
        taken.add(id_)
        ids[name] = id_
    return ids
