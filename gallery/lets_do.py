"""Servers that let people do what their role does not: convicted by a script that says `refused`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from chatsys.core import members, rules
from chatsys.core.model import Role
from chatsys.errors import Reason, Refusal
from gallery.broken import Broken, altered_decision


def _replaced(name: str, made: Callable[..., Any]) -> None:
    """Put another rule in the place of one, wherever it is used."""
    for module in (rules, members, importlib.import_module("chatsys.core.rooms")):
        if hasattr(module, name):
            setattr(module, name, made)


def _let_members_rule() -> None:
    def administered(view: Any, room_id: str, caller: Any) -> Any:
        return rules.member(view, room_id, caller.user_id)[0] if not caller.admin else view.room(room_id)

    _replaced("administered", administered)


def _let_former_admins_rule() -> None:
    good = rules.administered

    def administered(view: Any, room_id: str, caller: Any) -> Any:
        membership = view.membership(room_id, caller.user_id)
        if membership is not None and membership.role is Role.ADMIN:
            return view.room(room_id)
        return good(view, room_id, caller)

    _replaced("administered", administered)


def _let_the_last_admin_go() -> None:
    _replaced("keep_an_admin", lambda _view, _room: None)


def _let_anybody_in(decide: Callable[[Any, Any], Any], view: Any, entry: Any) -> Any:
    room = view.room(entry.room_id)
    if room is None:
        return decide(view, entry)
    return rules.enter(view, room, entry.caller, entry.caller.user_id, Role.WRITER, entry.time_us)


class _AllAreMembers:
    """A view in which nobody was ever removed."""

    def __init__(self, view: Any) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def membership(self, room_id: str, user_id: str) -> Any:
        """The latest membership, as if it went on."""
        found = self._view.membership(room_id, user_id)
        return None if found is None else found._replace(end_sequence=0)


def _tell_of_the_room(decide: Callable[[Any, Any], Any], view: Any, entry: Any) -> Any:
    try:
        return decide(view, entry)
    except Refusal as refusal:
        if refusal.reason is Reason.NOT_A_MEMBER and view.room(entry.room_id) is not None:
            refusal = Refusal.room_deleted(entry.room_id)
        raise refusal from None


def _let_removed_write() -> None:
    altered_decision("_send", lambda decide, view, send: decide(_AllAreMembers(view), send))


class _AllAreWriters(_AllAreMembers):
    """A view in which every member may send."""

    def membership(self, room_id: str, user_id: str) -> Any:
        """The latest membership, as that of a writer."""
        found = self._view.membership(room_id, user_id)
        return None if found is None else found._replace(role=max(found.role, Role.WRITER))


def _let_readers_write() -> None:
    altered_decision("_send", lambda decide, view, send: decide(_AllAreWriters(view), send))


LETS_READERS_WRITE = Broken(
    name="lets-readers-write",
    does="takes messages of people who may only read",
    tamper=_let_readers_write,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("own/readers",),
)
LETS_MEMBERS_RULE = Broken(
    name="lets-members-rule",
    does="lets every member remove others, admin or not",
    tamper=_let_members_rule,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("own/roles",),
)
LETS_FORMER_ADMINS_RULE = Broken(
    name="lets-former-admins-rule",
    does="lets admins go on as admins when they have been removed",
    tamper=_let_former_admins_rule,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("own/former_admin",),
)
LETS_THE_LAST_ADMIN_GO = Broken(
    name="lets-the-last-admin-go",
    does="lets the only admin leave a room where others stay",
    tamper=_let_the_last_admin_go,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("moderation",),
)
LETS_ANYBODY_IN = Broken(
    name="lets-anybody-in",
    does="lets people join a room to which they were not invited",
    tamper=lambda: altered_decision("join", _let_anybody_in, "chatsys.core.members"),
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("direct_message",),
)
LETS_REMOVED_WRITE = Broken(
    name="lets-removed-write",
    does="takes messages of people who were removed from the room",
    tamper=_let_removed_write,
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("kick",),
)
TELLS_OF_ROOMS = Broken(
    name="tells-of-rooms",
    does="tells outsiders that a room is there, by refusing them in another way",
    tamper=lambda: altered_decision("join", _tell_of_the_room, "chatsys.core.members"),
    kinds=frozenset(),
    others=frozenset({"refused"}),
    scenarios=("moderation", "direct_message"),
)
