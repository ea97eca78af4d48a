"""Servers that get their limits wrong."""

from __future__ import annotations

from typing import Any

from chatsys.errors import Reason, Refusal
from chatsys.server import chat, sending
from chatsys.server.limits import Rate
from chatsys.server.services import clock_us
from gallery import decides_wrongly
from gallery.broken import Broken


def _store_what_is_refused() -> None:
    good = sending.send_message

    async def send_message(house: Any, request: Any, call: Any) -> Any:
        try:
            return await good(house, request, call)
        except Refusal as refusal:
            if refusal.reason is Reason.RATE_LIMITED:
                await house.store.submit((sending._checked(house, request, call, clock_us()),))
            raise

    setattr(chat, "send_message", send_message)  # noqa: B010  # mypy has a word about the other way


def _store_each_try() -> None:
    _store_what_is_refused()
    decides_wrongly.store_again()


def _count_all_as_one() -> None:
    good = Rate.take

    def take(rate: Rate, _user_id: str, tokens: int) -> None:
        good(rate, "everybody", tokens)

    setattr(Rate, "take", take)  # noqa: B010  # the same


STORES_WHAT_IS_REFUSED = Broken(
    name="stores-what-is-refused",
    does="refuses who is too quick, and stores the message all the same",
    tamper=_store_what_is_refused,
    kinds=frozenset({"aborted-read"}),
    scenarios=("own/too_quick",),
)
STORES_EACH_TRY = Broken(
    name="stores-each-try",
    does="refuses who is too quick, and stores the message with every try",
    tamper=_store_each_try,
    kinds=frozenset({"aborted-read", "stored-twice"}),
    scenarios=("own/too_quick",),
)
COUNTS_ALL_AS_ONE = Broken(
    name="counts-all-as-one",
    does="lets one who is too quick use up what others may send",
    tamper=_count_all_as_one,
    kinds=frozenset(),
    others=frozenset({"script"}),
    scenarios=("own/too_quick",),
)
