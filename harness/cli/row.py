"""One row from its plan to its report: played, put on disk, judged. `chatsim run` and the pytest plugin share it."""

from __future__ import annotations

import contextlib
import os
import platform
import time
import traceback
from asyncio import Event
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import __version__, archive
from harness.cli import troubles
from harness.cli.derive import derive
from harness.keeper.handle import Keeper, KeeperError
from harness.model.history import Op
from harness.model.plan import Plan
from harness.model.steps import Step
from harness.model.verdict import RunStatus
from harness.report.model import RowReport
from harness.run.needs import SkippedError
from harness.run.play import play
from harness.run.recorder import Observer
from harness.run.settings import CouldNotRunError, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """What all rows of one invocation have in common."""

    run: str
    """Run id of the invocation."""
    folder: Path
    """Its folder; each row makes one of its own below."""
    settings: Settings
    command: Sequence[str]
    """As typed."""
    keeper: Keeper
    """Attached before the first row is played."""
    system: Mapping[str, str] | None = None
    """What is played against, when it is one of a gallery: its `name`, and what it `does`."""


async def play_row(
    venue: Venue,
    plan: Plan,
    row: str,
    *,
    on_step: Callable[[int, Step], None] = lambda _index, _step: None,
    on_op: Observer | None = None,
    stop: Event | None = None,
) -> RowReport:
    """Play one plan, leave its folder, and return what is reported of it.

    Args:
        venue: where and how.
        plan: what to play.
        row: unique name of this run among all of the keeper's, `[a-z0-9]+`.
        on_step: told of each step as it begins.
        on_op: told of each operation as it is recorded.
        stop: when set, the script is left where it is and what was recorded is judged.

    What breaks in chatsim itself, or in the machine, ends this row as one that could not be run, and no other.

    Raises:
        KeeperError: no process can be started.
    """
    folder, env = _begin(venue, plan)
    begun = time.monotonic_ns()
    recorded_ns = 0

    def observe(op: Op) -> None:
        nonlocal recorded_ns
        recorded_ns = op.time
        if on_op is not None:
            on_op(op)

    try:
        played = await play(
            plan,
            folder,
            venue.keeper,
            venue.settings,
            row=row,
            on_step=on_step,
            on_op=observe,
            stop=stop,
        )
    except CouldNotRunError as fault:
        env |= {"status": RunStatus.ERROR, "error": fault.to_json(), "reason": fault.sentence}
        env["duration_ns"] = time.monotonic_ns() - begun
    except SkippedError as skip:
        env |= {"status": RunStatus.SKIPPED, "reason": str(skip)}
    except KeeperError:
        raise
    except Exception as fault:  # noqa: BLE001 - our own fault must not pass for the server's, nor end other rows
        broken = _broken(fault, folder)
        env |= {"status": RunStatus.ERROR, "error": broken.to_json(), "reason": broken.sentence}
    else:
        env["duration_ns"] = played.duration_ns
        env["scripted_waiting_ns"] = played.scripted_waiting_ns
        env["leaks"] = [f"pid {pid}: {command}" for pid, command in played.leftovers]
        if played.interrupted:
            env |= {"status": RunStatus.INTERRUPTED, "reason": "interrupted"}
    # So that whoever reads the history later can tell when its end is missing.
    env["recorded_ns"] = recorded_ns
    archive.write_json(folder / "env.json", env)
    return derive(folder)


def leave_out(venue: Venue, plan: Plan) -> RowReport:
    """Leave the folder of a row that an interrupt came before, and return its report: it is no pass, and not gone."""
    folder, env = _begin(venue, plan)
    env |= {"status": RunStatus.INTERRUPTED, "reason": "interrupted before it began"}
    archive.write_json(folder / "env.json", env)
    return derive(folder)


def _begin(venue: Venue, plan: Plan) -> tuple[Path, dict[str, Any]]:
    folder = archive.create_row(venue.folder, plan.name)
    archive.write_json(folder / "plan.json", plan.to_json())
    return folder, _environment(venue, plan)


def _broken(fault: Exception, folder: Path) -> CouldNotRunError:
    """Tell of what no part of the run expected; where it happened is kept in the row's logs."""
    lines = traceback.format_exception(fault)
    logs = folder / "logs"
    with contextlib.suppress(OSError):  # the same trouble, perhaps
        logs.mkdir(exist_ok=True)
        (logs / "chatsim.log").write_text("".join(lines), encoding="utf-8", errors="replace")
    if isinstance(fault, OSError):
        return CouldNotRunError(
            f"chatsim could not go on: {troubles.told(fault)}", help=troubles.remedy(fault)
        )
    return CouldNotRunError(
        f"chatsim itself broke: {type(fault).__name__}: {fault}",
        process="chatsim",
        last_lines=tuple("".join(lines).splitlines()[-6:]),
        help="this says nothing of the server; please report it with logs/chatsim.log",
    )


def _environment(venue: Venue, plan: Plan) -> dict[str, Any]:
    uname = os.uname()
    settings = venue.settings
    return {
        "format": "chatsim.env",
        "version": archive.ENV_VERSION,
        "run": venue.run,
        **({} if venue.system is None else {"system": dict(venue.system)}),
        "seed": plan.seed,
        "command": list(venue.command),
        "server": settings.server or settings.server_typed or "chatsys",
        "driver": settings.driver or "chatsys",
        # Beside a workload everything goes on in real time.
        "speed": 1.0 if plan.workload else "max" if settings.speed is None else settings.speed,
        "versions": {"chatsim": __version__, "python": platform.python_version()},
        "platform": f"{uname.sysname} {uname.release} {uname.machine}",
        "cpus": os.cpu_count(),
        "started_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
