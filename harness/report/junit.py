"""junit.xml: one suite a row, one test case a check, for the readers that CI systems have.

| a check that | is in JUnit |
|---|---|
| passed | a passed case |
| failed | `failure`, its type the kind of violation, its message the sentence, its text the block |
| could not be judged | `error` of type `unknown`: nothing was shown, so a CI must not go green |
| had nothing to judge, or needs what the server lacks | `skipped` with the reason |

A row that could not be run, was interrupted or skipped, and one whose status no check explains (nothing was
acknowledged, say), has a case called `run`. Characters that XML forbids are written as escapes.
"""

# Half of junitparser has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from harness.model.verdict import RunStatus, Status, Verdict
from harness.report.failure import check_block, failure_block
from harness.report.look import Look
from harness.report.model import Invocation, RowReport
from harness.report.scene import describe_process
from harness.report.text import escape

if TYPE_CHECKING:
    from junitparser import JUnitXml, TestCase, TestSuite

_LOOK = Look(width=100)
_RED = frozenset({RunStatus.FAIL, RunStatus.UNKNOWN, RunStatus.ERROR, RunStatus.INTERRUPTED})


def render(invocation: Invocation) -> bytes:
    """Return the content of junit.xml, UTF-8."""
    out = BytesIO()
    _document(invocation).write(out)
    return out.getvalue() + b"\n"


#: A document to which suites are added one by one, as their rows end.
EMPTY = b'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="chatsim">' + (
    CLOSING := b"</testsuites>\n"
)


def render_suite(invocation: Invocation, row: RowReport) -> bytes:
    """Return the suite of one row, to be put before `CLOSING`."""
    suite = _suite(invocation, row)
    suite.update_statistics()
    suite.time = _lasted(row)
    text: bytes = suite.tostring()
    return text.removeprefix(b"<?xml version='1.0' encoding='utf-8'?>\n") + b"\n"


def _document(invocation: Invocation) -> JUnitXml:
    from junitparser import JUnitXml  # noqa: PLC0415 - it takes 20 ms to import, and is needed at the very end

    document = JUnitXml("chatsim")
    for row in invocation.rows:
        # `append`, because add_testsuite merges suites that look alike: rows of --repeat would become one.
        document.append(_suite(invocation, row))
    document.update_statistics()
    # The library adds up cases; but most checks take no time of their own, and rows may be played side by side.
    for suite, row in zip(document, invocation.rows, strict=True):
        suite.time = _lasted(row)
    document.time = round(invocation.elapsed_ns / 1e9, 3)
    return document


def _lasted(row: RowReport) -> float:
    return round(row.duration_ns / 1e9, 3)


def _suite(invocation: Invocation, row: RowReport) -> TestSuite:
    from junitparser import TestSuite  # noqa: PLC0415 - see _document

    suite = TestSuite(xml_text(row.name))
    if row.started_at:
        suite.timestamp = row.started_at.removesuffix("Z").removesuffix("+00:00")
    for name, value in _properties(invocation, row):
        suite.add_property(xml_text(name), xml_text(value))
    cases = [_case(row, verdict) for verdict in row.verdicts]
    explained = any(case.result and not case.is_skipped for case in cases)
    if not cases or (row.status in _RED and not explained) or row.error is not None:
        cases.append(_run(row))
    suite.add_testcases(cases)
    return suite


def _properties(invocation: Invocation, row: RowReport) -> Iterator[tuple[str, str]]:
    yield "seed", str(row.seed)
    yield "command", shlex.join(invocation.command)
    yield "title", row.plan.title
    yield "directory", row.directory
    if row.plan.workload is not None:
        from harness.verbs import outlook  # noqa: PLC0415 - see `announcement`

        yield "workload", outlook.acts(row.plan.workload)
        yield from (("nemesis", told) for told in outlook.faults(row.plan.workload))
    if row.punctuality is not None:
        yield "workload.in_time", f"{row.punctuality.share:.4f}"
    if row.latency is not None:
        for name, figure in row.latency.figures.items():
            yield f"limits.{name}_ms", f"{figure / 1e6:.3f}"
        for name, limit in row.plan.limits.items():
            yield f"limits.{name}_ms.limit", f"{limit / 1e6:.3f}"
    for key, value in sorted(row.env.items()):
        if isinstance(value, (str, int, float)) and key not in {"seed", "command", "reason", "status"}:
            yield f"environment.{key}", str(value)
        elif isinstance(value, Mapping) and key != "error":
            for inner, text in sorted(value.items()):
                yield f"environment.{key}.{inner}", str(text)


def _case(row: RowReport, verdict: Verdict) -> TestCase:
    from junitparser import Error, Failure, Skipped  # noqa: PLC0415 - see _document

    pointer = verdict.pointer or next((v.pointers[0] for v in verdict.violations if v.pointers), None)
    case = _new_case(row, verdict.name, pointer, _seconds(row, verdict.pointer))
    match verdict.status:
        case Status.FAIL:
            first = verdict.violations[0] if verdict.violations else None
            message = first.sentence if first else verdict.reason or "failed"
            block = check_block(row, verdict, _LOOK)
            case.append(_result(Failure, message, first.kind if first else "failed", block))
        case Status.UNKNOWN:
            case.append(
                _result(
                    Error,
                    verdict.reason or "could not be judged",
                    "unknown",
                    check_block(row, verdict, _LOOK),
                )
            )
        case Status.NOT_EXERCISED | Status.NOT_APPLICABLE:
            reason = f"{verdict.status}: {verdict.reason}" if verdict.reason else str(verdict.status)
            case.append(_result(Skipped, reason, "", ""))
        case Status.PASS:
            pass
    return case


def _run(row: RowReport) -> TestCase:
    from junitparser import Error, Failure, Skipped  # noqa: PLC0415 - see _document

    case = _new_case(row, "run", None, row.duration_ns / 1e9)
    reason = row.reason or f"the run ended {row.status}"
    match row.status:
        case RunStatus.SKIPPED:
            case.append(_result(Skipped, reason, "", ""))
        case RunStatus.FAIL:
            case.append(_result(Failure, reason, "failed", failure_block(row, _LOOK)))
        case RunStatus.PASS:
            pass
        case _:
            case.append(_result(Error, reason, row.status.value, failure_block(row, _LOOK)))
            logs = [f"{describe_process(p)}\n" + "\n".join(p.lines) for p in row.processes if p.lines]
            if logs:
                case.system_err = xml_text("\n\n".join(logs))
    return case


def _new_case(row: RowReport, check: str, pointer: str | None, seconds: float) -> TestCase:
    from junitparser import TestCase  # noqa: PLC0415 - see _document

    span = row.span(pointer) if pointer else None
    name = f"{row.name} › {check}" + (f", line {span.line}" if span else "")
    case = TestCase(xml_text(name), classname=xml_text(row.name), time=round(seconds, 3))
    # Not in the library, and read by most CI systems to link a case to its source.
    case._elem.set("file", xml_text(row.plan.file))  # noqa: SLF001 - the library offers no other way
    if span:
        case._elem.set("line", str(span.line))  # noqa: SLF001 - see above
    return case


def _result(kind: Any, message: str, type_: str, text: str) -> Any:
    result = kind(xml_text(message), type_ or None)
    if text:
        result.text = xml_text(text)
    return result


def _seconds(row: RowReport, pointer: str | None) -> float:
    return next((step.duration_ns / 1e9 for step in row.steps if step.pointer == pointer), 0.0)


def xml_text(text: str) -> str:
    r"""Return the text with every character that XML 1.0 forbids written as an escape: `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if _allowed(ord(char)) else escape(char) for char in text)


def _allowed(code: int) -> bool:
    return (
        code in (0x9, 0xA)
        or 0x20 <= code < 0x7F
        or 0xA0 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )
