"""Every block as it is printed, kept word for word. `CHATSIM_ACCEPT=1` takes what comes as right."""

from __future__ import annotations

import os
from pathlib import Path

from harness.report import json_, junit
from harness.report.failure import failure_block
from harness.report.look import Look
from harness.report.model import Invocation, RowReport
from harness.report.terminal import detail_lines, ending, summary_line, verdict_line

GOLDEN = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("CHATSIM_ACCEPT"):
        path.write_text(text, encoding="utf-8")
    wanted = (
        path.read_text(encoding="utf-8")
        if path.exists()
        else "(no such file: run once with CHATSIM_ACCEPT=1)"
    )
    assert text == wanted


def invocation(*rows: RowReport) -> Invocation:
    return Invocation(
        rows=rows,
        command=("chatsim", "run", "scenarios/", "--speed", "max"),
        paths=("scenarios/",),
        seed=20261122,
        directory="reports/20261122T153012Z-1f3a9c",
        started_at="2026-11-22T15:30:12.000+00:00",
    )


def test_one_row(told):
    name, row = told
    parts = [summary_line(row), detail_lines(row), failure_block(row)]
    check(f"{name}.txt", "\n\n".join(parts) + "\n")


def test_all_of_a_command_that_passed(tell):
    rows = invocation(tell("passes"), tell("passes"), tell("skipped"))
    text = "\n".join([*map(summary_line, rows.rows), ending(rows), verdict_line(rows)])
    check("command_passed.txt", text + "\n")


def test_a_person_is_told_how_to_get_a_page_of_what_passed(tell):
    rows = invocation(tell("passes"), tell("skipped"))
    offer = "\n  page       chatsim report reports/20261122T153012Z-1f3a9c   (writes one)"
    assert ending(rows, offers=True) == ending(rows) + offer
    page = rows._replace(page="reports/x/index.html")
    nothing = rows._replace(rows=(tell("skipped"),))
    failed = invocation(tell("undelivered"))
    for other in (page, nothing, failed):
        assert ending(other, offers=True) == ending(other)


def test_all_of_a_command_that_failed(tell):
    rows = invocation(*(tell(name) for name in ("passes", "undelivered", "leak", "unknown", "not_ready")))
    text = "\n".join([*map(summary_line, rows.rows), ending(rows), verdict_line(rows)])
    check("command_failed.txt", text + "\n")


def test_in_colour(tell):
    check(
        "colour.txt",
        summary_line(tell("leak"), Look(color=True))
        + "\n"
        + failure_block(tell("leak"), Look(color=True))
        + "\n",
    )


def test_in_ascii(tell):
    text = ending(invocation(tell("undelivered")), Look(ascii=True))
    assert text.isascii()
    check("ascii.txt", text + "\n")


def test_report_json(tell):
    check("report.json", json_.render(invocation(tell("undelivered"), tell("not_ready"))))


def test_junit_xml(tell):
    check(
        "junit.xml",
        junit.render(invocation(tell("undelivered"), tell("unknown"), tell("not_ready"))).decode(),
    )
