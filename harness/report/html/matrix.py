"""Who got what: a row for each message, a cell for each client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from harness.model.gravity import certain
from harness.report.model import RowReport
from harness.report.receipts import MessageReport, Receipt
from harness.report.text import clip, safe

CellState = Literal["got", "missed", "none", "asked", "sender", "outside", "echo", "leak"]

#: Kinds of violations of what a script expects by which somebody did not get what they should.
_WANTS = frozenset({"missing", "inbox"})
#: Cells of text that are shown of a message.
_TEXT = 400


class Cell(NamedTuple):
    """One client and one message."""

    state: CellState
    """`missed`: a violation says that it should have come; `none`: it did not come, and nothing says it should;
    `asked`: the script expects it of one who could not get it: the sender, or no member."""
    time_ns: int | None
    times: int
    connected: bool
    note: str = ""
    """Why one who was a member at another time was none then; or what was other than it was sent."""


class MessageRow(NamedTuple):
    """One message and what became of it."""

    key: str
    name: str
    room: str
    sender: str
    text: str
    sent_ns: int | None
    answered_ns: int | None
    answer: str
    sequence: int | None
    cells: tuple[Cell, ...]
    """In the order of the cast."""
    odd: bool
    """Whether somebody missed it, got it wrongly, changed or twice, or it was not accepted."""


def message_rows(
    row: RowReport, messages: Mapping[str, MessageReport], near: Iterable[str], limit: int
) -> tuple[MessageRow, ...]:
    """Return the rows, in the order in which the messages were sent.

    Args:
        row: The row's report.
        messages: What became of each message that was followed.
        near: Those around the first violation.
        limit: Cells that there may be. Messages that violations are about are kept first, then those near to them.
    """
    wanting: set[tuple[str, str]] = set()
    asked: set[tuple[str, str]] = set()
    for verdict, violation in certain(row.verdicts):
        pairs = {(client, name) for client in violation.clients for name in violation.messages}
        wanting |= pairs
        if verdict.group == "expectation" and violation.kind in _WANTS:
            asked |= pairs
    room = max(1, limit // max(1, len(row.plan.clients)))
    kept = [name for name in dict.fromkeys([*row.messages, *near, *messages]) if name in messages][:room]
    found = sorted((messages[name] for name in kept), key=_first_heard)
    return tuple(_row(message, wanting, asked) for message in found)


def _first_heard(message: MessageReport) -> int:
    heard = [receipt.time_ns for receipt in message.receipts if receipt.time_ns is not None]
    return message.sent_ns if message.sent_ns is not None else min(heard, default=0)


def _row(message: MessageReport, wanting: set[tuple[str, str]], asked: set[tuple[str, str]]) -> MessageRow:
    cells = tuple(
        _cell(
            receipt,
            wanting=(receipt.client, message.id) in wanting,
            asked=(receipt.client, message.id) in asked,
        )
        for receipt in message.receipts
    )
    return MessageRow(
        key=safe(message.id),
        name=clip(safe(message.id), 60),
        room=safe(message.room),
        sender=safe(message.sender),
        text=clip(safe(message.text), _TEXT),
        sent_ns=message.sent_ns,
        answered_ns=message.answered_ns,
        answer=safe(message.answer),
        sequence=message.sequence,
        cells=cells,
        odd=message.answer != "ok"
        or any(
            c.state in ("missed", "asked", "echo", "leak") or c.times > 1 or (c.state == "got" and c.note)
            for c in cells
        ),
    )


def _cell(receipt: Receipt, *, wanting: bool, asked: bool) -> Cell:
    state: CellState = (
        ("missed" if wanting else "none")
        if receipt.state == "never"
        else "asked"
        if asked and receipt.state in ("outside", "sender")
        else receipt.state
    )
    return Cell(state, receipt.time_ns, receipt.times, receipt.connected, safe(receipt.note))
