"""The scene of a violation: the parties concerned in a small diagram, and the last words of their processes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.history import FENCE, HARNESS, NEMESIS, SCRIPT, SERVER
from harness.model.verdict import Violation
from harness.report.fold import FOLLOWED, ProcessReport
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.receipts import MessageReport
from harness.report.sequence import MEMBERSHIPS, Never, draw, lanes_that_fit
from harness.report.text import clip, moment, safe, wrap
from harness.report.words import ending

_PROCESSES = 3
_LINES = 4


def diagram(row: RowReport, violation: Violation, look: Look) -> list[str]:
    """Return the lines of a sequence diagram of the parties concerned, after an empty one; none without clients."""
    messages = [row.messages[name] for name in violation.messages[:FOLLOWED] if name in row.messages]
    cast = [client.name for client in row.plan.clients]
    concerned = [name for name in violation.clients if name in cast]
    senders = {message.sender for message in messages}
    # The first one concerned and the sender are what the story is about; the others as far as there is room.
    wanted = (
        concerned[:1] + [client.name for client in row.plan.clients if client.user in senders] + concerned
    )
    wanted += [op.client for index in violation.ops if (op := row.trace.get(index)) and op.client in cast]
    wanted += [
        r.client for message in messages for r in message.receipts if r.state not in ("outside", "sender")
    ]
    lanes = list(dict.fromkeys(wanted))[: lanes_that_fit(look.width) - 1]
    if not lanes:
        return []
    ids = {message.id for message in messages}
    moves = _moves(row, messages, [client.user for client in row.plan.clients if client.name in concerned])
    ops = [
        op
        for op in row.trace.values()
        if op.index in violation.ops or _about(op.value, ids) or op.f in _LIVES or op.index in moves
    ]
    never = never_came(row, violation, end_ns=max([0, *(op.time for op in ops)]))
    unwanted = {(r.client, m.id) for m in messages for r in m.receipts if r.state in ("echo", "leak")}
    drawn = draw(
        ops,
        [name for name in cast if name in lanes],
        proof=violation.ops,
        never=never,
        unwanted=unwanted,
        others=len(cast) - len(lanes),
        columns=look.width,
    )
    return ["", *drawn]


def never_came(row: RowReport, violation: Violation, *, end_ns: int) -> list[Never]:
    """Return the deliveries that a violation misses, each at the moment from which that was certain.

    Args:
        row: the row.
        violation: one of its violations.
        end_ns: the moment to take when no operation of the proof makes it certain.
    """
    known = [
        op.time
        for index in violation.ops
        if (op := row.trace.get(index)) and op.f in ("fence", "expect", "claim")
    ]
    return [
        Never(client=r.client, message=message.id, time_ns=max(known, default=end_ns))
        for name in violation.messages[:FOLLOWED]
        if (message := row.messages.get(name)) is not None
        for r in message.receipts
        if r.client in violation.clients
        and (r.state == "never" or (violation.kind == "missing" and r.state in ("outside", "sender")))
    ]


_LIVES = frozenset({"start", "exit", "connect", "disconnect", "connection"})


def _moves(row: RowReport, messages: Sequence[MessageReport], users: Sequence[str]) -> set[int]:
    """Return the operations by which these users came into the rooms of these messages, or went."""
    rooms = {message.room for message in messages}
    user_of = {client.name: client.user for client in row.plan.clients}
    return {
        op.index
        for op in row.trace.values()
        if op.f in MEMBERSHIPS
        and op.type == "ok"
        and op.value.get("room") in rooms
        and (op.value.get("user") or user_of.get(op.client)) in users
    }


def _about(value: object, ids: set[str]) -> bool:
    get = getattr(value, "get", None)
    return get is not None and (get("id") in ids or get("client_message_id") in ids)


def last_lines(row: RowReport, violation: Violation, look: Look) -> list[str]:
    """Return the last lines of the processes concerned and how these ended, after an empty one; none if no logs."""
    ends = [p.name for p in row.processes if p.end is not None and not p.end.get("asked")]
    actors = [op.process for index in violation.ops if (op := row.trace.get(index)) is not None]
    wanted = [*ends, SERVER, *(violation.clients or actors)]
    names = [
        name
        for name in dict.fromkeys(wanted)
        if name not in (SCRIPT, NEMESIS, HARNESS, FENCE) or name in ends
    ]
    found = {process.name: process for name in names if (process := row.process(name)) is not None}
    shown = [process for process in found.values() if process.lines or process.name in ends]
    lines = []
    for process in shown[:_PROCESSES]:
        lines.append(clip(f"  {describe_process(process)} — last lines", look.width))
        for line in process.lines[-_LINES:]:
            first, *more = wrap(safe(line), look.width - 6, lines=2)
            lines += [f"    {first}", *(f"      {rest}" for rest in more)]
        if not process.lines:
            lines.append("    (it wrote nothing)")
    return ["", *lines] if lines else []


def describe_process(process: ProcessReport) -> str:
    """Return a process and its end: `server (pid 4127, killed by signal 9 at 1.231 s)`."""
    parts = [] if process.pid is None else [f"pid {process.pid}"]
    if process.end is not None:
        parts.append(f"{ending(process.end)} at {moment(process.ended_ns or 0)}")
    name = safe(process.name)
    return f"{name} ({', '.join(parts)})" if parts else name
