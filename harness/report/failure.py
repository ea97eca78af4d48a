"""Blocks that explain one row that did not pass: what went wrong, where it is written, who saw what, the proof.

Order inside a full block: one sentence with names -> lines of the scenario -> who got it -> expected and got ->
how it is known -> a small diagram -> last lines of the processes concerned. What to type next stands in the
closing lines of the whole report (`terminal.ending`).

Invariants: everything that is not ours passes `safe`; a block has a bounded number of lines, whatever happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.model.actions import Expect, Send
from harness.model.gravity import certain
from harness.model.steps import Parallel
from harness.model.verdict import RunStatus, Status, Verdict, Violation
from harness.report.excerpt import Place, excerpt, gutter_of
from harness.report.look import Look, Tone
from harness.report.model import RowReport
from harness.report.receipts import MessageReport, Receipt
from harness.report.scene import diagram, last_lines
from harness.report.text import clip, count, moment, safe, seconds, to_ascii, wrap
from harness.report.words import say_op

#: Violations of one row that are shown; the first in full.
BLOCKS = 5
_PLACES = 4
_TABLES = 3
_NAMED = 6
_PROOF = 5
_KEY = 11
#: Stands for a space at which a line is not broken; safe text has none.
_GLUE = "\0"


def failure_block(
    row: RowReport, look: Look | None = None, *, blocks: int = BLOCKS, full: bool = True
) -> str:
    """Return the blocks of a row that failed, could not be judged or could not be run; empty for one that passed.

    Args:
        row: The row.
        look: How to draw.
        blocks: At most so many violations; the others are counted.
        full: Whether the first has its diagram and its log lines.
    """
    look = look or Look()
    text = "\n".join(line.rstrip() for line in _blocks(row, look, blocks=blocks, full=full))
    return to_ascii(text) if look.ascii else text


def _blocks(row: RowReport, look: Look, *, blocks: int, full: bool) -> list[str]:
    if row.error is not None:
        return _error(row, look)
    if row.status in (RunStatus.PASS, RunStatus.SKIPPED):
        return []
    found = findings(row)
    lines: list[str] = []
    if not any(verdict.reason and verdict.reason in row.reason for verdict, _ in found):
        if row.status is RunStatus.UNKNOWN:
            lines += _headline("?", row.reason or f"{row.name} could not be judged", "doubt", look)
        elif row.status is RunStatus.INTERRUPTED:
            told = "was interrupted; what was recorded was judged" if row.judgement else f"was {row.reason}"
            lines += _headline("!", f"{row.name} {told}", "doubt", look)
        elif not found:
            lines += _headline("✗", row.reason or f"{row.name} failed", "bad", look)
    for place, (verdict, violation) in enumerate(found[:blocks]):
        if lines:
            lines.append("")
        above = _seen_above(row, violation, found[:place]) if violation is not None else ""
        lines += _finding(row, verdict, violation, look, full=full and place == 0, above=above)
    if len(found) > blocks:
        lines += ["", f"  … and {len(found) - blocks} more in report.json"]
    return lines


def _seen_above(
    row: RowReport, violation: Violation, told: Sequence[tuple[Verdict, Violation | None]]
) -> str:
    """Return by which deliveries, told in an earlier block, all of this proof is known; empty when it is not.

    One delivery may break an invariant, an expectation and an inbox.
    """
    proof = violation.ops[:_PROOF]
    seen = [index for index in proof if (op := row.trace.get(index)) is not None and op.f == "deliver"]
    if not seen or len(proof) < 2:  # one line is not shorter than another
        return ""
    for verdict, other in told:
        if other is not None and set(proof) <= set(other.ops[:_PROOF]):
            noun = "delivery" if len(seen) == 1 else "deliveries"
            return f"{', '.join(f'#{index}' for index in proof)}: the same {noun} as in {title_of(verdict, other)}"
    return ""


def check_block(row: RowReport, verdict: Verdict, look: Look | None = None) -> str:
    """Return the blocks of one check that failed or could not be judged, the first in full."""
    look = look or Look()
    found: Sequence[Violation | None] = verdict.violations or (None,)
    lines: list[str] = []
    for place, violation in enumerate(found[:BLOCKS]):
        lines += ([""] if place else []) + _finding(row, verdict, violation, look, full=place == 0)
    if len(found) > BLOCKS:
        lines += ["", f"  … and {len(found) - BLOCKS} more in report.json"]
    return "\n".join(line.rstrip() for line in lines)


def _finding(
    row: RowReport, verdict: Verdict, violation: Violation | None, look: Look, *, full: bool, above: str = ""
) -> list[str]:
    if violation is not None:
        return _violation(row, verdict, violation, look, full=full, above=above)
    word = "could not be judged" if verdict.status is Status.UNKNOWN else str(verdict.status)
    told = verdict.reason if verdict.group == "run" else f"{verdict.name} {word}: {verdict.reason}"
    lines = _headline("?", told, "doubt", look)
    if verdict.pointer and (span := row.span(verdict.pointer)) is not None:
        lines += excerpt(row.plan.file, row.plan.source, [Place(span, "")], look)
    return lines


def findings(row: RowReport) -> list[tuple[Verdict, Violation | None]]:
    """Return what there is to tell: certain violations, then open ones, then checks that could not judge.

    See `model.gravity` for the order among the certain ones.
    """
    unknown = [v for v in row.verdicts if v.status is Status.UNKNOWN]
    opened = [(v, violation) for v in unknown for violation in v.violations]
    return [*certain(row.verdicts), *opened, *((v, None) for v in unknown if not v.violations)]


def _headline(mark: str, sentence: str, tone: Tone, look: Look) -> list[str]:
    first, *rest = wrap(safe(sentence), look.width - 2, lines=6)
    return [f"{look.paint(mark, tone)} {look.paint(first, 'bold')}", *(f"  {line}" for line in rest)]


def title_of(verdict: Verdict, violation: Violation) -> str:
    """Return the check that a violation is of, with its kind where there are several."""
    return f"{verdict.name} ({violation.kind})" if verdict.group == "invariant" else verdict.name


def _violation(
    row: RowReport, verdict: Verdict, violation: Violation, look: Look, *, full: bool, above: str
) -> list[str]:
    sure = verdict.status is Status.FAIL
    told = f"{title_of(verdict, violation)}: {violation.sentence}"
    lines = _headline("✗" if sure else "?", told, "bad" if sure else "doubt", look)
    places = places_of(row, verdict, violation)
    lines += excerpt(row.plan.file, row.plan.source, places if full else places[:1], look)
    if not places:
        lines.append(f"  --> {safe(row.plan.file)}")
    margin = " " * (gutter_of(places) + 1)
    for key, value in _glued(row, verdict, violation, full=full, above=above):
        lines += _fact(margin, key, value, look)
    if full:
        lines += diagram(row, violation, look)
        lines += last_lines(row, violation, look)
    return lines


def _fact(margin: str, key: str, value: str, look: Look) -> list[str]:
    start = f"{margin}{'=' if key else ' '} {key.ljust(_KEY)} "
    wrapped = wrap(value, look.width - len(start), lines=4)
    first, *rest = (line.strip(_GLUE).replace(_GLUE, " ") for line in wrapped)
    return [start + first, *(" " * len(start) + line for line in rest)]


def places_of(row: RowReport, verdict: Verdict, violation: Violation) -> list[Place]:
    """Return where a violation is written in the scenario, and what is to be said there."""
    pointers = violation.pointers or ((verdict.pointer,) if verdict.pointer else ())
    return [
        Place(span, _note(row, violation, pointer))
        for pointer in pointers[:_PLACES]
        if (span := row.span(pointer)) is not None
    ]


def _note(row: RowReport, violation: Violation, pointer: str) -> str:
    for step, report in zip(row.plan.walk(), row.steps, strict=True):
        if isinstance(step.action, Parallel) and pointer != step.pointer:
            continue  # what stands in a lane is told by its own step
        if pointer != step.pointer and not pointer.startswith(f"{step.pointer}/"):
            continue
        if report.start_ns is None:
            return "not reached"
        if isinstance(step.action, Send):
            mine = {name for _, name, _ in step.action.messages()}
            told = [
                row.messages[name] for name in violation.messages if name in mine and name in row.messages
            ]
            return _sent(told[0], named=len(mine) > 1) if told else ""
        if isinstance(step.action, Expect):
            if report.end_ns is None:
                return f"begun at {moment(report.start_ns)}, and not finished"
            ended = moment(report.end_ns)
            if report.status == "done":
                return f"fulfilled at {ended}"
            return f"not fulfilled after {seconds(report.duration_ns)}, at {ended}"
        if report.reason:
            return report.reason
        return f"at {moment(report.start_ns)}"
    return ""


def _sent(message: MessageReport, *, named: bool) -> str:
    if message.sent_ns is None:
        return "never sent"
    number = "" if message.sequence is None else f" #{message.sequence}"
    when = "" if message.answered_ns is None else f" at {moment(message.answered_ns)}"
    name = f"{message.id} " if named else ""
    return f"{name}sent at {moment(message.sent_ns)}, {message.answer}{number}{when}"


def facts(row: RowReport, verdict: Verdict, violation: Violation) -> list[tuple[str, str]]:
    """Return all that is told of a violation, as (key, value); a key is empty where the one above goes on."""
    return [(key, value.replace(_GLUE, " ")) for key, value in _glued(row, verdict, violation, full=True)]


def _glued(
    row: RowReport, verdict: Verdict, violation: Violation, *, full: bool, above: str = ""
) -> Iterator[tuple[str, str]]:
    messages = [row.messages[name] for name in violation.messages if name in row.messages]
    if full:
        for message in messages[:_TABLES]:
            yield "message", _introduce(message)
            yield "who got it", _receipts(message, violation.clients)
        if len(violation.messages) > _TABLES:
            yield "", f"… {count(len(violation.messages) - _TABLES, 'more message')} in report.json"
    if violation.expected:
        yield "expected", safe(violation.expected)
    if violation.actual:
        yield "got", safe(violation.actual)
    if full and (how := ", ".join(f"{number} {how}" for how, number in verdict.evidence.items() if number)):
        yield "absence", safe(how)
    if above:
        yield "proof", safe(above)
    else:
        for place, index in enumerate(violation.ops[:_PROOF]):
            yield "" if place else "proof", _proof(row, index)
    if violation.world:
        yield "only if", safe(violation.world.removeprefix("only if "))
    if violation.hint:
        yield "so", safe(violation.hint)


def _introduce(message: MessageReport) -> str:
    text = clip(safe(message.text), 44)
    return f"`{clip(safe(message.id), 24)}` from {safe(message.sender)} to {safe(message.room)}: “{text}”"


def _proof(row: RowReport, index: int) -> str:
    op = row.trace.get(index)
    if op is None:
        return f"#{index}"
    return f"#{index:<4} {moment(op.time):>8}  {safe(op.process)} {clip(safe(say_op(op)), 60)}"


def _receipts(message: MessageReport, concerned: Sequence[str]) -> str:
    order = sorted(message.receipts, key=lambda r: (r.client not in concerned, _ODD[r.state]))
    named = {receipt.client for receipt in order[:_NAMED]}
    entries = [
        f"{safe(r.client)} {_receipt(r)}".replace(" ", _GLUE) for r in message.receipts if r.client in named
    ]
    rest = order[_NAMED:]
    got = sum(r.state == "got" for r in rest)
    never = sum(r.state == "never" for r in rest)
    words = [f"{got} ✓ got it"] * bool(got) + [f"{never} ✗ never"] * bool(never)
    words += [f"{len(rest) - got - never} – not meant to"] * bool(len(rest) - got - never)
    if rest:
        entries.append(f"… {count(len(rest), 'other')}: {', '.join(words)}".replace(" ", _GLUE))
    return f" {_GLUE} ".join(entries)


_ODD = {"echo": 0, "leak": 0, "never": 1, "sender": 2, "got": 3, "outside": 4}


def _receipt(receipt: Receipt) -> str:
    when = moment(receipt.time_ns or 0)
    times = f", {receipt.times} times" if receipt.times > 1 else ""
    match receipt.state:
        case "got":
            return f"✓ {when}{times}" + (f" ({safe(receipt.note)})" if receipt.note else "")
        case "echo":
            return f"✗ {when}{times} (its own)"
        case "leak":
            return f"✗ {when}{times} ({safe(receipt.note) or 'not a member'})"
        case "never":
            return "✗ never" if receipt.connected else "✗ never (not connected)"
        case "sender":
            return "– sender"
        case "outside":
            return f"– {safe(receipt.note) or 'not a member'}"


def _error(row: RowReport, look: Look) -> list[str]:
    error = row.error
    assert error is not None
    lines = _headline("!", f"{row.name} could not be run: {error.sentence}", "bad", look)
    log = error.lines
    if not log and error.process and (process := row.process(error.process)) is not None:
        log = process.lines
    table = [
        ("process", [safe(error.process)]),
        ("command", [safe(error.command)]),
        ("exit", [safe(error.exit.removeprefix("exit "))]),
        ("last lines", [safe(line) for line in log[-8:]]),
        ("help", wrap(safe(error.help), look.width - _KEY - 5)),
    ]
    for key, values in table:
        if not any(values):
            continue
        for place, value in enumerate(values):
            label = key if place == 0 else ""
            lines.append(f"    {label.ljust(_KEY)} {clip(value, look.width - _KEY - 5)}")
    return lines
