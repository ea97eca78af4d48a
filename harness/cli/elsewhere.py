"""A history that chatsim did not record: refused with every fault of its form, or judged like any other."""

from __future__ import annotations

import platform
import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from harness import __version__, archive
from harness.archive import ArchiveError, RecordedOps
from harness.cli import ground
from harness.judge import judge
from harness.model.foreign import Survey, survey
from harness.model.plan import Plan
from harness.report.model import RowReport, build


def judged(history: Path, plan: Path | None) -> RowReport:
    """Judge a history file.

    Args:
        history: the file, in format 1.
        plan: a plan.json to judge it against. Without one, the cast is whoever does something in it, the rooms are
            those that it makes, and nothing is expected but that the invariants hold.

    Raises:
        click.UsageError: a file cannot be read, the plan is none, or the history has faults: a line for each.
    """
    chosen = _chosen(history, plan)
    ops = RecordedOps(history)
    return build(chosen, ops, judge(chosen, ops), {}, {}, directory=str(history))


def keep(history: Path, plan: Path | None, root: Path) -> Path:
    """Make the folder of a run of a history file, as if chatsim had recorded it, and return it; judge nothing.

    Args:
        history: as in `judged`.
        plan: as in `judged`.
        root: where the folder is made.

    Raises:
        click.UsageError: as in `judged`, or nothing can be written there; nothing is left behind.
    """
    chosen = _chosen(history, plan)
    run = secrets.token_hex(6)
    folder = ground.folder(root, run)
    try:
        row = archive.create_row(folder, chosen.name)
        archive.write_json(row / "plan.json", chosen.to_json())
        shutil.copyfile(history, row / "history.jsonl")
        archive.write_json(
            row / "env.json",
            {
                "format": "chatsim.env",
                "version": archive.ENV_VERSION,
                "run": run,
                "history": str(history),
                "command": ["chatsim", *sys.argv[1:]],
                "versions": {"chatsim": __version__, "python": platform.python_version()},
                "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            },
        )
    except OSError as fault:
        shutil.rmtree(folder, ignore_errors=True)
        raise click.UsageError(f"{folder}: {fault.strerror}; choose another place with --reports") from fault
    ground.lead_to(folder)
    return folder


def _chosen(history: Path, plan: Path | None) -> Plan:
    found = _survey(history)
    if found.count:
        raise click.UsageError(_refusal(history, found))
    return found.plan(history.stem, str(history)) if plan is None else _plan(plan)


def _survey(history: Path) -> Survey:
    try:
        with history.open(encoding="utf-8") as file:
            return survey(file)
    except OSError as fault:
        raise click.UsageError(f"{history}: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise click.UsageError(f"{history}: not UTF-8 ({fault.reason} at byte {fault.start})") from fault


def _plan(path: Path) -> Plan:
    try:
        return Plan.from_json(archive.read_json(path))
    except ArchiveError as fault:
        raise click.UsageError(str(fault)) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise click.UsageError(f"{path}: not a plan of this chatsim ({fault})") from fault


def _refusal(history: Path, found: Survey) -> str:
    many = "1 fault" if found.count == 1 else f"{found.count} faults"
    lines = [f"{history} is no history of format 1: {many}", *(f"  {fault}" for fault in found.faults)]
    if found.count > len(found.faults):
        lines.append(f"  ... and {found.count - len(found.faults)} more")
    return "\n".join([*lines, "docs/history.md says what each line holds."])
