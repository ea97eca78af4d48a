"""Servers that leave in bad order: what they answer while they are about to go."""

from __future__ import annotations

from typing import Any

from chatsys.errors import Refusal
from chatsys.server import app, chat, sending
from chatsys.server.services import clock_us
from chatsys.v1 import chat_pb2, types_pb2
from gallery.broken import Broken


def _store_nothing_any_more() -> None:
    good = sending.send_message

    async def send_message(house: Any, request: Any, call: Any) -> Any:
        if not house.hub.draining:
            return await good(house, request, call)
        sent = sending._checked(house, request, call, clock_us())
        message = types_pb2.Message(room_id=sent.room_id, sender_id=sent.sender_id)
        return chat_pb2.SendMessageResponse(message=message, position=house.now())

    setattr(chat, "send_message", send_message)  # noqa: B010  # mypy has a word about the other way
    setattr(app, "draining", lambda: None)  # noqa: B010  # the same


def _take_all_for_strangers() -> None:
    setattr(app, "draining", lambda: Refusal.not_a_member("any"))  # noqa: B010  # the same


FORGETS_WHILE_LEAVING = Broken(
    name="forgets-while-leaving",
    does="acknowledges what is sent while it leaves, and stores nothing of it",
    tamper=_store_nothing_any_more,
    kinds=frozenset({"lost"}),
    scenarios=("own/leaving",),
)
TURNS_AWAY_WHILE_LEAVING = Broken(
    name="turns-away-while-leaving",
    does="takes members for strangers while it leaves",
    tamper=_take_all_for_strangers,
    kinds=frozenset(),
    others=frozenset({"script"}),
    scenarios=("own/leaving",),
)
