"""The summary in Markdown: what it says, that it is bounded, and that nothing in it is markup which is not ours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from harness.report import markdown
from harness.report.files import summarise
from harness.report.model import Invocation
from tests.report.test_golden import check, invocation


def test_a_command_that_failed(tell):
    names = ("passes", "undelivered", "leak", "unknown", "not_ready", "skipped")
    check("summary_failed.md", markdown.render(invocation(*map(tell, names))))


def test_a_command_that_passed(tell):
    check("summary_passed.md", markdown.render(invocation(tell("passes"), tell("skipped"))))
    assert "nothing was selected" in markdown.render(Invocation(rows=()))


def test_hostile_bodies_are_text(tell):
    text = markdown.render(invocation(tell("hostile")))
    outside = re.sub(r"(`+)(?:text|sh)?\n.*?\n\1$|(`+).*?\2", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside
    assert "<img" not in outside
    assert outside.count("<") == outside.count("<details>") + outside.count("</") + outside.count("<summary>")


def test_however_much_there_is_a_forge_takes_it(tell):
    text = markdown.render(invocation(*[tell("fifty_clients")] * 300, *[tell("passes")] * 700))
    assert len(text.encode()) < 65_536
    assert "… and 940 more scenarios, 240 of them did not pass" in text
    assert "295 more scenarios did not pass; report.json has them all" in text


@given(st.text(max_size=60))
def test_no_text_leaves_its_code_span(told):
    made = markdown.code(told)
    fence = made[: len(made) - len(made.lstrip("`"))]
    assert made.endswith(fence)
    assert fence not in re.findall(r"`+", made[len(fence) : -len(fence)])
    assert "\n" not in made
    assert "|" not in made


@given(st.text("ab`@<&|[](*_~:/.w#", max_size=40))
def test_plain_text_means_nothing(told):
    outside = re.sub(r"(`+).*?\1", "", markdown.text(told))
    assert "<" not in outside
    assert not re.search(r"@\w", outside)
    assert not re.search(r"(?<!\\)[\[\]*_|]", outside)


def test_it_is_added_to_what_a_ci_system_has_and_written_anew_elsewhere(tmp_path, tell):
    mine, theirs = tmp_path / "mine.md", tmp_path / "theirs.md"
    mine.write_text("old\n")
    theirs.write_text("from the step before\n")
    report = invocation(tell("passes"))
    assert summarise(report, file=mine, added_to=str(theirs)) == []
    assert mine.read_text() == markdown.render(report)
    assert theirs.read_text() == "from the step before\n" + mine.read_text()
    assert summarise(report) == []
    (fault,) = summarise(report, file=tmp_path / "no" / "where.md")
    assert fault == f"no summary in {tmp_path / 'no' / 'where.md'}: No such file or directory"
