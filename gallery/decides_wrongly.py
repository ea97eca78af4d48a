"""Servers that decide wrongly what becomes of a send or of an acknowledgement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatsys.core.entry import Ack, Send
from chatsys.core.outcome import Acked, Sent
from chatsys.errors import Reason, Refusal
from chatsys.store import schema
from gallery.broken import Broken, altered_decision

Decide = Callable[[Any, Any], tuple[Any, tuple[Any, ...]]]


def _refuse_and_store(decide: Decide, view: Any, send: Send) -> tuple[Any, tuple[Any, ...]]:
    outcome, effects = decide(view, send)
    if isinstance(outcome, Sent) and not outcome.sequence % 2:
        return Refusal(Reason.ROLE_REQUIRED, "no", metadata={"required_role": "none"}), effects
    return outcome, effects


def _forget_line_3(decide: Decide, view: Any, send: Send) -> tuple[Any, tuple[Any, ...]]:
    outcome, effects = decide(view, send)
    return outcome, () if send.content == b"line 3" else effects


class _NoMemory:
    """A view in which nothing was sent before."""

    def __init__(self, view: Any) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def sent(self, *_: object) -> None:
        """Nothing was."""


def store_again() -> None:
    """Forget what was sent before under which id."""
    schema._TABLES = schema._TABLES.replace("UNIQUE INDEX entry_by", "INDEX entry_by")
    altered_decision("_send", lambda decide, view, send: decide(_NoMemory(view), send))


def _report(by: int) -> Callable[[Decide, Any, Ack], tuple[Any, tuple[Any, ...]]]:
    def decided(decide: Decide, view: Any, ack: Ack) -> tuple[Any, tuple[Any, ...]]:
        outcome, effects = decide(view, ack)
        if isinstance(outcome, Acked):
            outcome = Acked(tuple((room, max(0, cursor + by)) for room, cursor in outcome.cursors))
        return outcome, effects

    return decided


REFUSES_AND_STORES = Broken(
    name="refuses-and-stores",
    does="refuses every second message, and delivers it",
    tamper=lambda: altered_decision("_send", _refuse_and_store),
    kinds=frozenset({"aborted-read"}),
    scenarios=("own/any_outcome",),
)
ACKS_WITHOUT_STORING = Broken(
    name="acks-without-storing",
    does="acknowledges `line 3`, and does not store it",
    tamper=lambda: altered_decision("_send", _forget_line_3),
    kinds=frozenset({"lost"}),
    scenarios=("latecomers",),
)
DUPLICATES_ON_RETRY = Broken(
    name="duplicates-on-retry",
    does="stores a message again when it is sent again under its id",
    tamper=store_again,
    kinds=frozenset({"stored-twice"}),
    scenarios=("own/sent_again",),
)
REGRESSES_CURSOR = Broken(
    name="regresses-cursor",
    does="reports each cursor one below what it accepted",
    tamper=lambda: altered_decision("_ack", _report(-1)),
    kinds=frozenset({"cursor-regress"}),
    scenarios=("latecomers", "own/killed_reader"),
)
REPORTS_BEYOND_HEAD = Broken(
    name="reports-beyond-head",
    does="reports each cursor far beyond the newest message",
    tamper=lambda: altered_decision("_ack", _report(1_000)),
    kinds=frozenset({"ack-beyond-head"}),
    scenarios=("latecomers",),
)
