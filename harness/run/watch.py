"""A watch over a run: when nothing happens for longer than anything may take, the run ends as a result, with stacks.

Everything that is asked of a process has a deadline, so a run that stands still longer than all of them together
waits for something that will not come: a fault of chatsim, or of the machine. What was waited for is said, and
`logs/hang.log` keeps where every process stands: the tasks of chatsim itself, and what the kernel knows of others.
Those that are forked from the keeper write the stacks of their threads to their own logs.
"""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.keeper import linux
from harness.keeper.children import STACKS
from harness.model.history import Op
from harness.model.plan import Plan
from harness.run.clock import Clock
from harness.run.recorder import Recorder
from harness.run.settings import CouldNotRunError, Settings

#: How long nothing may happen beyond the longest deadline, seconds. A machine may be busy, and a run may wait for it.
PATIENCE_S = 90.0
#: What readers do all the time, whether anybody waits for something or not.
_BY_ITSELF = frozenset({"claim", "connection", "poll", "ack"})
#: So many operations that nobody answered are named.
_NAMED = 5


class Watch:
    """Watches one run from now on, until `stop`.

    Args:
        plan: its deadlines are waited out.
        settings: and so is that of the server's start.
        recorder: what it records is what happens.
        clock: a lane that waits by the script's will is no hang.
        logs: the folder for `hang.log`.
    """

    def __init__(self, plan: Plan, settings: Settings, recorder: Recorder, clock: Clock, logs: Path) -> None:
        self.hung: asyncio.Future[CouldNotRunError] = asyncio.get_running_loop().create_future()
        """Settled when nothing happens any more."""
        longest = max((step.within_ns for step in plan.everything()), default=0)
        self._patience_s = PATIENCE_S + max(longest, plan.listen_ns) / 1e9 + settings.ready_within_s
        self._plan = plan
        self._recorder = recorder
        self._clock = clock
        self._logs = logs
        self._pids: dict[str, int] = {}
        self._last = asyncio.get_running_loop().time()
        self._timer = asyncio.get_running_loop().call_later(self._patience_s, self._look)
        recorder.listen(self._see)

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _see(self, op: Op) -> None:
        if op.f not in _BY_ITSELF or op.step is not None:
            self._last = asyncio.get_running_loop().time()
        if op.type == "ok" and op.f in ("spawn", "start") and isinstance(pid := op.value.get("pid"), int):
            self._pids[op.process] = pid
        elif op.f == "exit":
            self._pids.pop(op.process, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        willed_s = self._clock.until_next_s()
        until = (loop.time() + willed_s if willed_s else self._last) + self._patience_s
        if loop.time() + 1e-3 < until:
            self._timer = loop.call_at(until, self._look)
        elif not self.hung.done():
            self.hung.set_result(self._tell())

    def _tell(self) -> CouldNotRunError:
        waits = list(self._waits())
        named = ", ".join(waits[:_NAMED]) or "nothing that is on record"
        more = f" and {len(waits) - _NAMED} more" if len(waits) > _NAMED else ""
        log = self._logs / "hang.log"
        log.write_text(
            "\n".join([f"waited for: {wait}" for wait in waits]) + "\n" + self._stacks(), encoding="utf-8"
        )
        return CouldNotRunError(
            f"nothing happened for {self._patience_s:g} s; waited for {named}{more}",
            process="hang",
            last_lines=tuple(waits[:_NAMED]),
            help="where every process stood is in logs/hang.log, and in the logs of those that are forked",
        )

    def _waits(self) -> Iterator[str]:
        for op in self._recorder.open.values():
            line = None if op.step is None else self._plan.line(op.step)
            where = "" if line is None else f" (line {line})"
            yield f"`{op.f}` of {op.process}{where} since {op.time / 1e9:.3f} s"

    def _stacks(self) -> str:
        """Return where everybody stands; ask those who can to write their own stacks."""
        said = io.StringIO()
        for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name()):
            said.write(f"\n{task.get_name()} of chatsim\n")
            said.writelines(f"  {line}\n" for line in _chain(task.get_coro()))
        for name, pid in self._pids.items():
            said.write(f"\n{name} (pid {pid}): {linux.command_line(pid)}\n")
            said.writelines(f"  {line}\n" for line in linux.standing(pid))
            if linux.catches(pid, STACKS):
                os.kill(pid, STACKS)
                said.write(f"  the stacks of its threads are in its own log, {name}.log\n")
        return said.getvalue()


def _chain(awaited: Any) -> Iterator[str]:
    """Yield where a suspended coroutine stands, and what it awaits stands, down to what nobody wakes.

    `Task.print_stack` shows the first of these only.
    """
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            yield repr(awaited)
            return
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
