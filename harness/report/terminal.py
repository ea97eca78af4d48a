"""What a person reads at the end of a row and at the end of all of them.

    summary_line   one line a row, the status words in one right-aligned column
    detail_lines   with -v: every step with its time, every check
    ending         blocks of what failed, then totals, and what to type next on the last lines
    verdict_line   with -q: the totals alone

Nothing here prints; every function returns text whose lines fit the look's width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.model.latency import Latency, told
from harness.model.plan import Plan
from harness.model.verdict import RunStatus, Status
from harness.report.failure import failure_block
from harness.report.fold import StepReport
from harness.report.look import Look, Tone
from harness.report.model import Invocation, RowReport, evidence
from harness.report.punctuality import Punctuality, total
from harness.report.text import clip, count, moment, pad, safe, seconds, to_ascii, width, wrap
from harness.report.typed import typed

_WORDS: dict[RunStatus, tuple[str, Tone]] = {
    RunStatus.PASS: ("PASS", "good"),
    RunStatus.FAIL: ("FAIL", "bad"),
    RunStatus.UNKNOWN: ("UNKNOWN", "doubt"),
    RunStatus.ERROR: ("ERROR", "bad"),
    RunStatus.SKIPPED: ("SKIP", "doubt"),
    RunStatus.INTERRUPTED: ("INTERRUPTED", "doubt"),
}
_COUNTED = {
    RunStatus.PASS: "passed",
    RunStatus.FAIL: "failed",
    RunStatus.UNKNOWN: "unknown",
    RunStatus.ERROR: "could not run",
    RunStatus.SKIPPED: "skipped",
    RunStatus.INTERRUPTED: "interrupted",
}
#: How steps ended, and how checks did.
STEP_MARKS: dict[str, tuple[str, Tone]] = {
    "done": ("✓", "good"),
    "not fulfilled": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "unanswered": ("?", "doubt"),
    "unfinished": ("…", "doubt"),
    "not reached": ("·", "dim"),
}
CHECK_MARKS: dict[Status, tuple[str, Tone]] = {
    Status.PASS: ("✓", "good"),
    Status.FAIL: ("✗", "bad"),
    Status.UNKNOWN: ("?", "doubt"),
    Status.NOT_EXERCISED: ("·", "dim"),
    Status.NOT_APPLICABLE: ("·", "dim"),
}
_STATUS_CELLS = 12
_NAME_CELLS = 20
#: Of the status column, where long names need the room.
_NARROW_STATUS_CELLS = 8
#: Rows that get blocks of their own in the ending; the others have their line, and report.json.
_EXPLAINED = 6
_LATER_BLOCKS = 2
#: Rows whose limits get a line of their own, those that exceed one first.
_LIMITED = 4
#: Seeds that are named under the totals.
_SEEDS = 4
#: Options of `run` that are left out where it is said how to play again: once, for a person.
_ELSEWISE = frozenset({"--watch", "--json"})
#: Stands for a space at which no line is broken.
_GLUE = "\0"


def status_word(status: RunStatus) -> tuple[str, Tone]:
    """Return the word for how a row ended, and its tone."""
    return _WORDS[status]


def summary_line(row: RowReport, look: Look | None = None, *, name_cells: int = _NAME_CELLS) -> str:
    """Return the line of a finished row; several lines when a reason has to be told."""
    look = look or Look()
    word, tone = _WORDS[row.status]
    name = pad(clip(safe(row.name), name_cells), name_cells)
    status_cells = _STATUS_CELLS if name_cells <= _NAME_CELLS else _NARROW_STATUS_CELLS
    start = f"{look.paint(word.rjust(status_cells), tone)}  {look.paint(name, 'bold')}{seconds(row.duration_ns):>9}"
    room = look.width - max(status_cells, len(word)) - 2 - name_cells - 9
    if row.status in (RunStatus.PASS, RunStatus.FAIL):
        counts = (
            f"{_column(row.messages_sent, 'message', 4)} {_column(len(row.plan.clients), 'client', 3)}"
            f" {_column(row.checks, 'check', 3)}"
        )
        lines = [start + clip(f" {counts}", room)]
    else:
        first, *rest = wrap(safe(row.reason), max(room - 2, 12), lines=4)
        indent = " " * (look.width - max(room - 2, 12))
        lines = [f"{start}  {first}", *(indent + line for line in rest)]
    for leak in row.leaks[:3]:
        lines.append(clip(f"{' ' * (status_cells + 2)}left behind: {safe(leak)}", look.width))
    return _finish(lines, look)


def _column(number: int, noun: str, digits: int) -> str:
    return f"{number:>{digits}} {noun if number == 1 else noun + 's'}".ljust(digits + len(noun) + 2)


def detail_lines(row: RowReport, look: Look | None = None) -> str:
    """Return every step with its time and every check with what it judged, as -v shows them."""
    look = look or Look()
    lines = [_step_line(step, look) for step in row.steps]
    lines += [" " * 14 + told for told in _waiting((row,))]
    for verdict in row.verdicts:
        mark, tone = CHECK_MARKS[verdict.status]
        how = ", ".join(f"{number} {how}" for how, number in verdict.evidence.items() if number)
        told = "" if verdict.status in (Status.PASS, Status.FAIL) else str(verdict.status)
        facts = count(verdict.exercised, "fact") if verdict.exercised else ""
        detail = " · ".join(part for part in (told, verdict.reason, facts, how) if part)
        first, *rest = wrap(safe(detail), look.width - 42, lines=3)
        lines.append(f"{' ' * 14}{look.paint(mark, tone)} {pad(clip(safe(verdict.name), 24), 24)}  {first}")
        lines += [" " * 42 + line for line in rest]
    return _finish(lines, look)


def _step_line(step: StepReport, look: Look) -> str:
    mark, tone = STEP_MARKS[step.status]
    when = "" if step.start_ns is None else moment(step.start_ns)
    took = step.status if step.end_ns is None else seconds(step.duration_ns)
    text = safe(step.text) if not step.reason else f"{safe(step.text)} ({safe(step.reason)})"
    room = look.width - 16 - 9 - len(took) - 2
    body = pad(clip(text, room), room)
    return f"{when:>13} {look.paint(mark, tone)} line {step.line:<3} {body}  {took}"


def verdict_line(invocation: Invocation, look: Look | None = None) -> str:
    """Return the totals: `6 runs: 5 passed, 1 failed · 74 of 75 checks passed · 41.0 s`."""
    look = look or Look()
    return _finish(_total_lines(invocation, look.width), look)


def _total_lines(invocation: Invocation, cells: int) -> list[str]:
    """Return the totals in lines that are broken between facts, so that no number is parted from what it counts."""
    first, *rest = _totals(invocation)
    glued = [fact.replace(" ", _GLUE) for fact in rest]
    return [line.replace(_GLUE, " ") for line in wrap(f"{_GLUE}· ".join([first, *glued]), cells, lines=3)]


def _totals(invocation: Invocation) -> list[str]:
    rows = invocation.rows
    ends = [f"{number} {word}" for status, word in _COUNTED.items() if (number := invocation.total(status))]
    checks, passed = sum(row.checks for row in rows), sum(row.checks_passed for row in rows)
    parts = [f"{count(len(rows), 'run')}: {', '.join(ends) or 'nothing was selected'}"]
    parts.append(
        f"{passed} of {count(checks, 'check')} passed" if passed < checks else count(checks, "check")
    )
    if faults := sum(row.faults for row in rows):
        parts.append(f"{count(faults, 'fault')} injected")
    leaks = sum(len(row.leaks) for row in rows)
    parts.append(f"{count(leaks, 'thing')} left behind" if leaks else "nothing left behind")
    parts.append(seconds(invocation.elapsed_ns))
    return [*parts, *_waiting(rows)]


def _waiting(rows: Iterable[RowReport]) -> list[str]:
    waited, left_out = 0, 0
    for row in rows:
        waited += row.waited_ns
        left_out += 0 if row.waited_ns else row.scripted_waiting_ns
    told = [f"{seconds(waited)} of scripted waiting"] if waited else []
    return [*told, f"{seconds(left_out)} of scripted waiting left out"] if left_out else told


def ending(invocation: Invocation, look: Look | None = None, *, offers: bool = False) -> str:
    """Return what stands under the summary lines: the blocks, the totals, and what to type next.

    Args:
        invocation: What was played.
        look: How to draw.
        offers: Whether to say how a page is had, where none was written because all passed.
    """
    look = look or Look()
    lines: list[str] = []
    bad = [row for row in invocation.rows if row.status not in (RunStatus.PASS, RunStatus.SKIPPED)]
    for place, row in enumerate(bad[:_EXPLAINED]):
        block = (
            failure_block(row, look)
            if place == 0
            else failure_block(row, look, blocks=_LATER_BLOCKS, full=False)
        )
        title = f"── {clip(safe(row.name), look.width - 8)} " if len(invocation.rows) > 1 else ""
        lines += ["", *([title + "─" * (look.width - width(title))] if title else []), *block.split("\n")]
    if len(bad) > _EXPLAINED:
        lines += ["", f"… and {count(len(bad) - _EXPLAINED, 'more row')} that did not pass, in report.json"]
    lines.append("─" * 14)
    lines += [f"  {line}" for line in _total_lines(invocation, look.width - 2)]
    for key, text in _closing(invocation, bad):
        first, *rest = wrap(safe(text), look.width - 13, lines=4)
        lines += [f"  {key:<10} {first}", *(f"{' ' * 13}{line}" for line in rest)]
    for key, text in _next(invocation, bad, offers=offers):
        # Lines to paste are never wrapped: a terminal joins what it broke by itself.
        lines.append(f"  {key:<10} {safe(text)}")
    return _finish(lines, look)


def _closing(invocation: Invocation, bad: Sequence[RowReport]) -> Iterable[tuple[str, str]]:
    if shown := +evidence(invocation.rows):
        yield "absence", " · ".join(f"{number} {how}" for how, number in shown.most_common())
    idle: Counter[str] = Counter()
    for row in invocation.rows:
        for verdict in row.verdicts:
            if verdict.status is Status.NOT_EXERCISED:
                idle[f"{verdict.name} (not exercised)"] += 1
            elif verdict.status is Status.NOT_APPLICABLE:
                idle[f"{verdict.name} (not applicable: {verdict.reason})"] += 1
    if idle:
        every = len(invocation.rows)
        told = (
            name if number >= every else f"{name} in {count(number, 'run')}" for name, number in idle.items()
        )
        yield "not judged", ", ".join(told)
    if punctual := [row.punctuality for row in invocation.rows if row.punctuality is not None]:
        yield "workload", punctuality_line(total(punctual))
    limited = [row for row in invocation.rows if row.latency is not None]
    limited.sort(key=lambda row: not (row.latency and row.latency.beyond(row.plan.limits)))
    for row in limited[:_LIMITED]:
        assert row.latency is not None
        name = f"{row.name}: " if len(invocation.rows) > 1 else ""
        yield "limits", name + latency_line(row.latency, row.plan.limits)
    if len(limited) > _LIMITED:
        yield "limits", f"… and of {count(len(limited) - _LIMITED, 'more row')}, in report.json"
    if invocation.seed and (punctual or not bad):
        seeds = list(dict.fromkeys(str(row.seed) for row in invocation.rows)) or [str(invocation.seed)]
        yield "seed", ", ".join([*seeds[:_SEEDS], *(["…"] if len(seeds) > _SEEDS else [])])


def punctuality_line(one: Punctuality) -> str:
    """Return `792 of 800 acts began within 100 ms of their moment · 5 held up by faults · 99.6% in time`."""
    told = [f"{one.in_time} of {count(one.planned, 'act')} began within 100 ms of their moment"]
    if one.held_up:
        told.append(f"{one.held_up} held up by faults")
    if one.late:
        told.append(f"{one.late} late, by {seconds(one.latest_ns)} at most")
    if one.left_out:
        told.append(f"{one.left_out} left out")
    return " · ".join(
        [*told, f"{one.share:.1%} in time" if one.planned > one.held_up else "none to judge by"]
    )


def latency_line(found: Latency, limits: Mapping[str, int]) -> str:
    """Return `96 deliveries: p50 0.31 ms of 5 ms · p90 2.1 ms · p99 61 ms, beyond 50 ms`."""
    if not found.deliveries:
        return "no delivery could be timed"
    beyond = found.beyond(limits)
    parts = []
    for name, figure in found.figures.items():
        bound = f"{', beyond' if name in beyond else ' of'} {told(limits[name])}" if name in limits else ""
        parts.append(f"{name.removeprefix('delivery_')} {told(figure)}{bound}")
    noun = "delivery" if found.deliveries == 1 else "deliveries"
    return f"{found.deliveries:,} {noun}: {' · '.join(parts)}"


def announcement(plan: Plan) -> str:
    """Return what the seed will have of a workload, as it is said before it is played."""
    from harness.verbs import outlook  # noqa: PLC0415 - the verbs are needed by nothing else here

    assert plan.workload is not None
    told = [f"{plan.name}: seed {plan.seed}: {outlook.acts(plan.workload)}", *outlook.faults(plan.workload)]
    return "\n".join(f"  {'' if place == 0 else '  '}{safe(line)}" for place, line in enumerate(told))


def _next(invocation: Invocation, bad: Sequence[RowReport], *, offers: bool) -> Iterable[tuple[str, str]]:
    if invocation.directory:
        yield "report", invocation.directory
    if bad:
        yield "again", again(invocation, bad)
    if invocation.directory and bad:
        yield "re-judge", f"{typed(['chatsim', 'report', invocation.directory])}   (starts no processes)"
    if invocation.page:
        yield "page", invocation.page
    elif offers and invocation.directory and invocation.status is RunStatus.PASS:
        yield "page", f"{typed(['chatsim', 'report', invocation.directory])}   (writes one)"


def again(invocation: Invocation, rows: Sequence[RowReport] = ()) -> str:
    """Return the command that plays these rows, or all, again with the same seed, ready to paste.

    A seed on the command line stands above those of the files: rows of several seeds take a command each, of which
    the first three are named, one after the other.
    """
    words = list(invocation.command) or ["chatsim", "run"]
    if words[1:2] != ["run"]:  # pytest, or `chatsim demo`: neither takes the words below
        return typed(words)
    words = [word for word in words if word not in _ELSEWISE]
    seeds = list(dict.fromkeys(row.seed for row in rows or invocation.rows)) or [invocation.seed]
    if len(seeds) == 1:
        return _with_seed(invocation, words, rows, seeds[0], files=3)
    shares = [[row for row in rows or invocation.rows if row.seed == seed] for seed in seeds[:3]]
    return "; ".join(
        _with_seed(invocation, words, share, seed) for seed, share in zip(seeds, shares, strict=False)
    )


def _with_seed(
    invocation: Invocation, words: list[str], rows: Sequence[RowReport], seed: int, files: int | None = None
) -> str:
    """Return the command of these rows; of more files than `files`, as it was typed."""
    named = list(dict.fromkeys(row.plan.file for row in rows))
    if named and (files is None or len(named) <= files):
        kept = [word for word in words if word not in invocation.paths]
        words = [*kept[:2], *named, *kept[2:]] if invocation.paths or not invocation.command else words
    if not any(word == "--seed" or word.startswith("--seed=") for word in words):
        words = [*words, "--seed", str(seed)]
    return typed(words)


def again_line(row: RowReport, speed: str = "") -> str:
    """Return the command that plays one row again, whoever played it: same server, driver and seed."""
    words = ["chatsim", "run", row.plan.file, *(["--speed", speed] if speed else [])]
    for option in ("server", "driver"):
        value = str(row.env.get(option) or "chatsys")
        words += [] if value == "chatsys" else [f"--{option}", value]
    return typed([*words, "--seed", str(row.seed)])


def _finish(lines: Iterable[str], look: Look) -> str:
    text = "\n".join(line.rstrip() for line in lines)
    return to_ascii(text) if look.ascii else text


def name_cells(names: Iterable[str], look: Look) -> int:
    """Return the width of the column of names, so that all lines of one command have the same."""
    longest = max((width(safe(name)) for name in names), default=0)
    return max(12, min(longest + 1, look.width - 55)) if longest > _NAME_CELLS else _NAME_CELLS
