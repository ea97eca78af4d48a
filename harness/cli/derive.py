"""From the record of one row to everything that follows from it: verdicts, then the report.

`run` comes here when a row has been played, `report` when somebody asks again; so both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from harness import archive
from harness.archive import ArchiveError
from harness.judge import judge
from harness.model.verdict import Judgement, RunStatus
from harness.report.files import read_logs
from harness.report.model import RowReport, build


def recall(row: Path, *, shown: str = "") -> RowReport:
    """Return the report of a row that was judged already, from its verdicts.json; judge nothing.

    A row without these, because whoever played it is gone, is reported as interrupted.

    Args:
        row: the row's folder.
        shown: the folder as a person would type it.

    Raises:
        ArchiveError: the folder is no run, or a file of it cannot be read.
    """
    plan = archive.read_plan(row)
    finished = (row / "env.json").is_file()
    env = archive.read_json(row / "env.json") if finished else _BROKEN_OFF
    judgement = _verdicts(row)
    ops = archive.read_ops(row) if finished and (row / "history.jsonl").is_file() else iter(())
    return build(plan, ops, judgement, env, read_logs(row / "logs"), directory=shown or str(row))


def _verdicts(row: Path) -> Judgement | None:
    path = row / "verdicts.json"
    try:
        return Judgement.from_json(archive.read_json(path)) if path.is_file() else None
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ArchiveError(f"{path}: not verdicts of this chatsim ({fault})") from fault


_BROKEN_OFF = {"status": "interrupted", "reason": "the process that played it ended before it was over"}


def derive(row: Path, *, shown: str = "") -> RowReport:
    """Judge the recorded row, write its verdicts.json, and return its report.

    Args:
        row: the row's folder.
        shown: the folder as a person would type it.

    Raises:
        ArchiveError: the folder is no run, or a file of it cannot be read, or its history was cut short.
        HistoryError: the history is not one.
    """
    plan = archive.read_plan(row)
    environment = row / "env.json"
    env = archive.read_json(environment) if environment.is_file() else {}
    judgement: Judgement | None = None
    ops = archive.read_ops(row)
    if env.get("status") not in ("error", "skipped") and not _left_out(row, env):
        judgement = judge(plan, ops)
        if env and ops.last_ns is not None and (lacking := archive.cut_short(row, ops.last_ns)):
            raise ArchiveError(lacking)
        archive.write_json(row / "verdicts.json", judgement.to_json())
    told = ops if (row / "history.jsonl").is_file() else iter(())
    return build(plan, told, judgement, env, read_logs(row / "logs"), directory=shown or str(row))


def _left_out(row: Path, env: Mapping[str, Any]) -> bool:
    """Whether an interrupt came before the row had begun."""
    return env.get("status") == RunStatus.INTERRUPTED and not (row / "history.jsonl").is_file()


def salvage(row: Path, why: str, *, shown: str = "") -> RowReport:
    """Return the report of a row that cannot be judged, with what can be read of it.

    Args:
        row: the row's folder.
        why: what is wrong with it.
        shown: the folder as a person would type it.

    Raises:
        ArchiveError: it has no plan that can be read.
    """
    plan = archive.read_plan(row)
    try:
        env = archive.read_json(row / "env.json")
    except ArchiveError:
        env = {}
    env = {**env, "status": RunStatus.UNKNOWN.value, "reason": why}
    return build(plan, archive.Salvage(row), None, env, read_logs(row / "logs"), directory=shown or str(row))


def remember(row: Path) -> tuple[RowReport, str]:
    """Return the report of a row as far as it can be read, and why that is not all of it; judge and write nothing.

    Args:
        row: the row's folder.

    Raises:
        click.UsageError: it has no plan that can be read; without one there is nothing to show.
    """
    try:
        plan = archive.read_plan(row)
    except ArchiveError as fault:
        raise click.UsageError(f"{fault}; without its plan nothing can be shown of this run") from fault
    faults: list[str] = []
    env: dict[str, Any] = {}
    judgement = None
    try:
        if (row / "env.json").is_file():
            env = archive.read_json(row / "env.json")
    except ArchiveError as fault:
        faults.append(str(fault))
    try:
        judgement = _verdicts(row)
    except ArchiveError as fault:
        faults.append(str(fault))
    ops = archive.Salvage(row)
    unfinished = bool(archive.unfinished(row))
    report = build(
        plan, ops, judgement, _BROKEN_OFF if unfinished else env, read_logs(row / "logs"), directory=str(row)
    )
    told = "; ".join(dict.fromkeys(fault for fault in (*faults, ops.fault) if fault))
    if told and not unfinished:  # what was once concluded from a record that was whole is no word on this one
        report = report._replace(status=RunStatus.UNKNOWN, reason=told, judgement=None)
    return report, told
