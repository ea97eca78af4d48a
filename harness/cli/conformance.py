"""`chatsim check --driver CMD`: each rule of the protocol tried on a driver, and with a server a conversation."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import click

from harness import archive
from harness.cli.exit_codes import ExitCode
from harness.cli.sight import look_at
from harness.drivers.tee import lines_of
from harness.judge import judge
from harness.keeper.handle import CommandError, Keeper, KeeperError
from harness.keeper.launch import launch
from harness.model.verdict import Judgement, RunStatus, Status
from harness.report.look import ColorFlag, Look
from harness.report.text import clip, count, safe, wrap
from harness.run.conformance import Bench, Result, check
from harness.run.needs import SkippedError
from harness.run.play import play
from harness.run.protocol_rules import LIKELY, quoted
from harness.run.settings import CouldNotRunError, Settings
from harness.source.loader import load

_MARKS = {True: ("✓", "good"), False: ("✗", "bad"), None: ("·", "dim")}
#: Lines that are shown of a conversation that went wrong.
_LAST = 10
_POLLING = re.compile(r'<\{"event": ?"poll(ed)?"')
#: Played against the server: what comes late, what comes at once, what does not come.
_CONVERSATION = """\
scenario: A short conversation
clients: [alice, bob]
rooms: {lobby: [alice, bob]}
steps:
  - connect: alice
  - {send: Are you there?, from: alice, id: question}
  - connect: bob
  - {expect: question, received_by: bob, not_by: alice, within: 5s}
  - {send: I am, from: bob, id: answer}
  - {expect: answer, received_by: alice, not_by: bob, within: 5s}
  - disconnect: bob
  - {send: Good bye, from: alice, id: farewell}
inboxes:
  alice: [answer]
  bob: [question, farewell]
"""


def check_driver(driver: str, server: str | None, *, color: ColorFlag, quiet: bool) -> ExitCode:
    """Try a driver, say what holds, and return 0 when all does, else 1.

    Args:
        driver: its command.
        server: command or address of a server to talk with too.
        color: whether to colour.
        quiet: say only what does not hold.
    """
    look = look_at(sys.stdout, color)
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        if not (quiet and result.holds is not False):
            click.echo(_line(result, look))

    try:
        fine = asyncio.run(_try(driver, server, tell))
    except (CommandError, KeeperError) as fault:
        click.echo(f"the driver could not be started: {fault}", err=True)
        return ExitCode.COULD_NOT_RUN
    broken = sum(result.holds is False for result in results)
    if not quiet or broken:
        held = sum(result.holds is True for result in results)
        click.echo(f"{count(len(results), 'rule')}: {held} kept, {broken} broken")
    return ExitCode.PASSED if fine else ExitCode.FAILED


def _line(result: Result, look: Look) -> str:
    mark, tone = _MARKS[result.holds]
    lines = [f"  {look.paint(mark, tone)} {result.rule}"]  # type: ignore[arg-type]  # a tone of the table above
    for fault in result.detail.splitlines():
        lines += ["      " + line for line in wrap(safe(fault), look.width - 6, lines=8)]
    lines += ["        " + clip(safe(line), look.width - 8) for line in result.exchanged]
    return "\n".join(lines)


async def _try(driver: str, server: str | None, tell: Callable[[Result], None]) -> bool:
    command = shlex.split(driver)
    keeper = Keeper(launch(os.urandom(6).hex()))
    try:
        await keeper.attach()
        folder = keeper.scratch / "check"  # the keeper removes it
        folder.mkdir()
        bench = Bench(keeper, command, folder / "driver.log", "check")
        fine = await check(bench, tell)
        if server is not None and bench.capabilities:
            result = await _converse(keeper, Settings(server=server, driver=driver, speed=None), folder)
            tell(result)
            fine = fine and result.holds is not False
        return fine
    finally:
        await keeper.close()


async def _converse(keeper: Keeper, settings: Settings, folder: Path) -> Result:
    """Play a short conversation and judge it."""
    rule = "a short conversation with the server is as it should be"
    file = folder / "conversation.yaml"
    file.write_text(_CONVERSATION)
    copies = folder / "lines"
    copies.mkdir()
    tee = [sys.executable, "-m", "harness.drivers.tee", str(copies), *shlex.split(settings.driver or "")]
    settings = Settings(server=settings.server, driver=shlex.join(tee), speed=None)
    (plan,) = load([str(file)]).plans
    try:
        await play(plan, folder, keeper, settings, row=f"c{os.urandom(3).hex()}")
    except SkippedError as why:
        return Result(rule, holds=None, detail=str(why))
    except CouldNotRunError as fault:
        said = "".join(f"; it said: {line}" for line in fault.last_lines[-1:])
        return Result(rule, holds=False, detail=fault.sentence + said)
    judgement = judge(plan, archive.read_ops(folder))
    if judgement.status is RunStatus.PASS:
        idle = [v.name for v in judgement.verdicts if v.status is Status.NOT_APPLICABLE]
        return Result(rule, holds=True, detail=f"not applicable: {', '.join(idle)}" if idle else "")
    return Result(
        rule,
        holds=False,
        detail=f"{judgement.status}: {judgement.reason}{_likely(judgement)}",
        exchanged=_exchanged(copies, judgement),
    )


def _likely(judgement: Judgement) -> str:
    """Return the rule that was probably broken, on a line of its own."""
    rule = next((LIKELY[v.kind] for v in judgement.violations if v.kind in LIKELY), "")
    return f"\nthe likely rule is in {quoted(rule)}" if rule else ""


def _exchanged(copies: Path, judgement: Judgement) -> tuple[str, ...]:
    """Return the last lines that were exchanged with the one whom the first violation is about."""
    client = next((name for v in judgement.violations for name in v.clients), "")
    # A driver that polls says so all the time.
    said = [line for line in lines_of(copies, client) if not _POLLING.match(line)][-_LAST:]
    return (f"the last lines from (<) and to (>) the driver of {client}:", *said) if said else ()
