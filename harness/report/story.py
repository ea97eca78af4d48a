"""The words of `chatsim demo`: one conversation played twice, what went wrong the second time, what to type next.

Pure: every function returns text whose lines fit the look's width.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model.verdict import RunStatus
from harness.report.failure import failure_block
from harness.report.look import Look
from harness.report.model import RowReport
from harness.report.terminal import summary_line
from harness.report.text import count, safe, to_ascii, wrap
from harness.report.typed import typed

#: What the two rows are called.
GOOD, BAD = "good", "broken"

_ACTS = {
    GOOD: ("1", "against chatsys, the server that comes with chatsim"),
    BAD: ("2", "against one that is broken on purpose: it answers before it has stored"),
}


def opening(screenplay: str, look: Look) -> str:
    """Return what comes first: what is about to be played, as `chatsim explain` tells it."""
    first = "One conversation, played twice: each party is a process, the kill is a real one."
    return _finish([*_wrapped(first, look), "", screenplay.rstrip("\n")], look)


def act(name: str, look: Look) -> str:
    """Return what is said before one of the two is played."""
    number, told = _ACTS[name]
    first, *rest = wrap(told, look.width - 3, lines=3)
    return _finish(["", look.paint(f"{number}  {first}", "bold"), *(f"   {line}" for line in rest)], look)


def verdict(row: RowReport, look: Look) -> str:
    """Return the line of a row that was played."""
    return _finish([summary_line(row, look)], look)


def moral(good: RowReport, bad: RowReport, file: str, page: str, look: Look) -> str:
    """Return what follows when both were played: what was wrong, and what to type next.

    Args:
        good: The row of the good server.
        bad: The row of the broken one.
        file: The scenario.
        page: The page to look at.
        look: How to draw.
    """
    lines = []
    if good.status is not RunStatus.PASS:
        lines += ["", failure_block(good, look)]
    lines += ["", failure_block(bad, look, blocks=1), ""]
    lines += _wrapped(_conclusion(good, bad), look)
    lines += ["", "What to type next:"]
    for told, words in _next(bad, file):
        lines.append(f"  {told:<26} {safe(typed(words))}")
    lines.append(f"  {'and the page of it':<26} {safe(page)}")
    return _finish(lines, look)


def _conclusion(good: RowReport, bad: RowReport) -> str:
    if good.status is RunStatus.PASS and bad.status is RunStatus.FAIL:
        return (
            f"{count(bad.messages_sent, 'message')}, 1 kill, 2 servers: the first kept its word. "
            f"The second did not: {bad.violations[0].sentence if bad.violations else bad.reason}. "
            "Nobody had to say where to look: whatever a server acknowledges, it must have."
        )
    return (
        "This is not how it should have gone: the first should pass, and the second fail. "
        f"`{typed(['chatsim', 'doctor'])}` looks at what this machine may lack."
    )


def _next(bad: RowReport, file: str) -> Sequence[tuple[str, Sequence[str]]]:
    return (
        ("see it once more, slower", ("chatsim", "replay", bad.directory, "--speed", "0.2x")),
        ("play it yourself", ("chatsim", "run", file)),
        ("and against the broken one", ("chatsim", "run", file, "--server", str(bad.env.get("server")))),
        ("write one of your own", ("chatsim", "new", "mine.yaml")),
        ("convict dozens of others", ("chatsim", "selftest")),
    )


def _wrapped(text: str, look: Look) -> list[str]:
    return wrap(safe(text), look.width, lines=8)


def _finish(lines: Sequence[str], look: Look) -> str:
    text = "\n".join(line.rstrip() for line in "\n".join(lines).split("\n"))
    return to_ascii(text) if look.ascii else text
