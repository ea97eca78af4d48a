"""report.json: all rows of a command for machines, format `chatsim.report` version 1.

Deterministic: the same invocation gives the same text, keys in the order of `docs/reading-a-report.md`, which
describes each of them. Times are ns since the run of that row began.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.model.latency import Latency
from harness.model.verdict import RunStatus, Verdict, Violation
from harness.report.fold import ProcessReport, StepReport
from harness.report.model import ErrorReport, Invocation, RowReport
from harness.report.punctuality import Punctuality
from harness.report.receipts import MessageReport
from harness.report.words import say_op

REPORT_VERSION = 1


def render(invocation: Invocation) -> str:
    """Return the text of report.json."""
    return json.dumps(to_json(invocation), ensure_ascii=True, indent=1) + "\n"


def to_json(invocation: Invocation) -> dict[str, Any]:
    """Return the content of report.json."""
    status = invocation.status
    return {
        "format": "chatsim.report",
        "version": REPORT_VERSION,
        "status": None if status is None else status.value,
        "command": list(invocation.command),
        "seed": invocation.seed,
        "started_at": invocation.started_at,
        "duration_ns": invocation.elapsed_ns,
        "totals": {status.value: invocation.total(status) for status in RunStatus},
        "rows": [_row(row) for row in invocation.rows],
    }


def _row(row: RowReport) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.plan.title,
        "file": row.plan.file,
        "directory": row.directory,
        "status": row.status.value,
        "reason": row.reason,
        "seed": row.seed,
        "started_at": row.started_at,
        "duration_ns": row.duration_ns,
        "scripted_waiting_ns": row.scripted_waiting_ns,
        "messages": row.messages_sent,
        "clients": [client.name for client in row.plan.clients],
        "checks": row.checks,
        "checks_passed": row.checks_passed,
        "faults": row.faults,
        "workload": None if row.punctuality is None else _punctuality(row.punctuality),
        "limits": None if row.latency is None else _limits(row, row.latency),
        "warnings": list(row.plan.warnings),
        "leaks": list(row.leaks),
        "error": None if row.error is None else _error(row.error),
        "verdicts": [_verdict(row, verdict) for verdict in row.verdicts],
        "who_got_what": [_message(message) for message in row.messages.values()],
        "steps": [_step(step) for step in row.steps],
        "processes": [_process(process) for process in row.processes],
        "environment": dict(row.env),
    }


def _punctuality(found: Punctuality) -> dict[str, Any]:
    return {**found._asdict(), "share": found.share}


def _limits(row: RowReport, found: Latency) -> dict[str, Any]:
    return {
        "decide": row.plan.limits_decide,
        "deliveries": found.deliveries,
        "figures_ns": dict(found.figures),
        "longest_ns": found.longest,
        "limits_ns": dict(row.plan.limits),
        "beyond": list(found.beyond(row.plan.limits)),
    }


def _verdict(row: RowReport, verdict: Verdict) -> dict[str, Any]:
    # What speaks of many steps has its place where it went wrong first.
    pointers = [
        place for place in (verdict.pointer, *(p for v in verdict.violations for p in v.pointers)) if place
    ]
    return {
        "name": verdict.name,
        "group": verdict.group,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "exercised": verdict.exercised,
        "evidence": dict(verdict.evidence),
        "occasions": dict(verdict.occasions),
        "place": _places(row, pointers[:1])[0] if pointers else None,
        "violations": [_violation(row, violation) for violation in verdict.violations],
    }


def _violation(row: RowReport, violation: Violation) -> dict[str, Any]:
    return {
        "kind": violation.kind,
        "sentence": violation.sentence,
        "clients": list(violation.clients),
        "messages": list(violation.messages),
        "expected": violation.expected,
        "actual": violation.actual,
        "hint": violation.hint,
        "only_if": violation.world,
        "places": _places(row, violation.pointers),
        "proof": [_proof(row, index) for index in violation.ops],
    }


def _places(row: RowReport, pointers: Iterable[str]) -> list[Mapping[str, Any]]:
    out: list[Mapping[str, Any]] = []
    for pointer in pointers:
        span = row.span(pointer)
        line, column = (span.line, span.column) if span else (None, None)
        out.append({"pointer": pointer, "line": line, "column": column})
    return out


def _proof(row: RowReport, index: int) -> Mapping[str, Any]:
    op = row.trace.get(index)
    if op is None:
        return {"index": index, "time_ns": None, "process": None, "what": None}
    return {"index": index, "time_ns": op.time, "process": op.process, "what": say_op(op)}


def _message(message: MessageReport) -> Mapping[str, Any]:
    return {
        "id": message.id,
        "room": message.room,
        "sender": message.sender,
        "text": message.text,
        "sent_ns": message.sent_ns,
        "answered_ns": message.answered_ns,
        "answer": message.answer,
        "sequence": message.sequence,
        "receipts": [
            {
                "client": r.client,
                "state": r.state,
                "first_ns": r.time_ns,
                "times": r.times,
                "connected": r.connected,
                "note": r.note,
            }
            for r in message.receipts
        ],
    }


def _step(step: StepReport) -> Mapping[str, Any]:
    return {
        "pointer": step.pointer,
        "line": step.line,
        "text": step.text,
        "status": step.status,
        "start_ns": step.start_ns,
        "end_ns": step.end_ns,
        "reason": step.reason,
    }


def _process(process: ProcessReport) -> Mapping[str, Any]:
    end = process.end or {}
    return {
        "name": process.name,
        "pid": process.pid,
        "code": end.get("code"),
        "signal": end.get("signal"),
        "asked": end.get("asked"),
        "ended_ns": process.ended_ns,
        "last_lines": list(process.lines),
    }


def _error(error: ErrorReport) -> Mapping[str, Any]:
    return {
        "sentence": error.sentence,
        "process": error.process,
        "command": error.command,
        "exit": error.exit,
        "last_lines": list(error.lines),
        "help": error.help,
    }
