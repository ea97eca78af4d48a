"""A summary of a command in Markdown, for a change on a forge: what ended how, and what went wrong. Pure.

Bounded, because forges cut or refuse what is long: of many rows those that did not pass come first and the others are
counted; the first of these are told in full. Nothing that clients or servers wrote can become markup, a link or a
mention.
"""

from __future__ import annotations

import re

from harness.model.verdict import RunStatus
from harness.report.failure import failure_block, findings
from harness.report.look import Look
from harness.report.model import Invocation, RowReport
from harness.report.terminal import again, status_word, verdict_line
from harness.report.text import clip, count, safe, seconds

_LOOK = Look(width=100)
#: Rows in the table, rows that are told, lines of a block.
_ROWS, _TOLD, _LINES = 60, 5, 90
_SENTENCES = 3
_MARKS = {RunStatus.PASS: "✅", RunStatus.SKIPPED: "⏭️", RunStatus.UNKNOWN: "❔"}
_GOOD = (RunStatus.PASS, RunStatus.SKIPPED)
_SPECIAL = re.compile(r"([\\*_{}\[\]()!|~>])")


def render(invocation: Invocation) -> str:
    """Return the summary; ends with a newline."""
    rows = sorted(invocation.rows, key=lambda row: row.status in _GOOD)  # stable: else in their order
    status = invocation.status
    mark = _mark(status) if status else "❔"
    lines = [f"### {mark} chatsim: {text(' '.join(verdict_line(invocation, Look(width=2_000)).split()))}", ""]
    if rows:
        lines += ["| | scenario | time | messages | clients | checks passed |", "|---|---|---|---|---|---|"]
    lines += [_row(row) for row in rows[:_ROWS]]
    if len(rows) > _ROWS:
        left_out = rows[_ROWS:]
        bad = sum(row.status not in _GOOD for row in left_out)
        told = f"{bad} of them did not pass" if bad else "which all passed or were skipped"
        lines += ["", f"… and {count(len(left_out), 'more scenario')}, {told}"]
    bad_rows = [row for row in rows if row.status not in _GOOD]
    for row in bad_rows[:_TOLD]:
        lines += ["", *_story(row)]
    if len(bad_rows) > _TOLD:
        lines += [
            "",
            f"{count(len(bad_rows) - _TOLD, 'more scenario')} did not pass; report.json has them all.",
        ]
    if bad_rows:
        lines += ["", "Play it again:", "", *_fenced([again(invocation, bad_rows)], "sh")]
    return "\n".join(lines) + "\n"


def _mark(status: RunStatus) -> str:
    return _MARKS.get(status, "❌")


def _row(row: RowReport) -> str:
    cells = (
        _mark(row.status),
        code(row.name),
        seconds(row.duration_ns),
        str(row.messages_sent),
        str(len(row.plan.clients)),
        f"{row.checks_passed} of {row.checks}",
    )
    return f"| {' | '.join(cells)} |"


def _story(row: RowReport) -> list[str]:
    word = status_word(row.status)[0].lower()
    lines = [f"#### {_mark(row.status)} {code(row.name)}: {text(clip(safe(row.plan.title), 120))}", ""]
    found = findings(row)
    for verdict, violation in found[:_SENTENCES]:
        sentence = violation.sentence if violation else f"{verdict.name}: {verdict.reason}"
        if violation and violation.world:
            sentence = f"{sentence}, only if {violation.world.removeprefix('only if ')}"
        pointer = verdict.pointer or (violation.pointers[0] if violation and violation.pointers else None)
        span = row.span(pointer) if pointer else None
        where = f" ({code(f'{row.plan.file}:{span.line}')})" if span else ""
        lines.append(f"- {text(clip(safe(sentence), 400))}{where}")
    if len(found) > _SENTENCES:
        lines.append(f"- … and {len(found) - _SENTENCES} more")
    if not found:
        lines.append(f"- {text(clip(safe(row.reason or word), 400))}")
    block = failure_block(row, _LOOK, blocks=1).split("\n")
    if len(block) > _LINES:
        block = [*block[:_LINES], "…"]
    lines += ["", "<details><summary>proof</summary>", "", *_fenced(block, "text"), "", "</details>"]
    return lines


def code(told: str) -> str:
    """Return a text as a code span in which nothing means anything, and which fits into a cell of a table."""
    plain = safe(told).replace("|", "¦").strip() or " "
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def text(told: str) -> str:
    """Return a text with its code spans, and with nothing else that means anything."""
    parts = safe(told).split("`")
    if len(parts) % 2 == 0:  # a span without an end is none
        parts = ["'".join(parts)]
    return "".join(code(part) if place % 2 else _plain(part) for place, part in enumerate(parts))


def _plain(told: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", told).replace("&", "&amp;").replace("<", "&lt;")
    # What forges make links of: mentions, addresses, numbers of issues.
    return re.sub(r"@|#(?=\d)|:(?=//)|www(?=\.)", lambda found: f"{found[0]}\u200b", escaped)


def _fenced(lines: list[str], language: str) -> list[str]:
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]
