"""From the record of one row to everything that follows from it: verdicts, then the report.

`run` comes here when a row has been played, `report` when somebody asks again; so both say the same.
"""

from __future__ import annotations

from pathlib import Path

from harness import archive
from harness.judge import judge
from harness.model.verdict import Judgement
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
    verdicts = row / "verdicts.json"
    judgement = Judgement.from_json(archive.read_json(verdicts)) if verdicts.is_file() else None
    ops = archive.read_ops(row) if finished and (row / "history.jsonl").is_file() else iter(())
    return build(plan, ops, judgement, env, read_logs(row / "logs"), directory=shown or str(row))


_BROKEN_OFF = {"status": "interrupted", "reason": "the process that played it ended before it was over"}


def derive(row: Path, *, shown: str = "") -> RowReport:
    """Judge the recorded row, write its verdicts.json, and return its report.

    Args:
        row: the row's folder.
        shown: the folder as a person would type it.

    Raises:
        ArchiveError: the folder is no run, or a file of it cannot be read.
        HistoryError: the history is not one.
    """
    plan = archive.read_plan(row)
    environment = row / "env.json"
    env = archive.read_json(environment) if environment.is_file() else {}
    judgement: Judgement | None = None
    if env.get("status") not in ("error", "skipped"):
        judgement = judge(plan, archive.read_ops(row))
        archive.write_json(row / "verdicts.json", judgement.to_json())
    ops = archive.read_ops(row) if (row / "history.jsonl").is_file() else iter(())
    return build(plan, ops, judgement, env, read_logs(row / "logs"), directory=shown or str(row))
