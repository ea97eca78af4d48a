"""report.json and junit.xml: right by the rules of those who read them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from harness.archive import last_lines
from harness.model.verdict import RunStatus
from harness.report import json_, junit
from harness.report.files import Growing, read_logs, write_reports
from harness.report.github import annotation_lines
from harness.report.model import Invocation

#: Attributes and children that the common readers of JUnit know (the subset of the Ant and Jenkins schemas).
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time", "file", "line"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "property": {"name", "value"},
    "properties": set(),
    "system-err": set(),
}
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
}


def rendered(*rows, **more):
    return junit.render(Invocation(rows=rows, command=("chatsim", "run", "x.yaml"), **more))


def test_a_growing_junit_is_whole_after_every_row(told, tmp_path):
    _, row = told
    growing = Growing(Invocation(rows=(), command=("chatsim", "run", "x.yaml")), tmp_path)
    for count in range(3):
        document = JUnitXml.fromfile(str(tmp_path / "junit.xml"))
        assert len(list(document)) == count
        growing.add(row)
    alone = ET.fromstring((tmp_path / "junit.xml").read_bytes()).find("testsuite")
    whole = ET.fromstring(rendered(row)).find("testsuite")
    assert alone is not None
    assert whole is not None
    assert alone.attrib == whole.attrib
    assert ET.tostring(alone).strip() == ET.tostring(whole).strip()


def test_junit_follows_the_common_schema(told):
    _, row = told
    root = ET.fromstring(rendered(row, row))
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag], element.tag
        assert REQUIRED.get(element.tag, set()) <= set(element.attrib), element.tag
    for suite in root:
        assert [child.tag for child in suite] == sorted(child.tag for child in suite)  # properties come first
        cases = suite.findall("testcase")
        assert len(cases) == int(suite.attrib["tests"]) > 0
        for tag, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.attrib[count])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", suite.attrib["timestamp"])
        for case in cases:
            assert sum(child.tag in {"failure", "error", "skipped"} for child in case) <= 1
    for count in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)


def test_junit_is_red_exactly_when_the_row_is(told):
    _, row = told
    suite = next(iter(JUnitXml.fromstring(rendered(row))))
    red = suite.failures + suite.errors > 0
    assert red == (row.status not in (RunStatus.PASS, RunStatus.SKIPPED))


def test_junit_tells_failures_from_errors_and_skips(tell):
    def results(name):
        suite = next(iter(JUnitXml.fromstring(rendered(tell(name)))))
        return {case.name: [(type(r), r.type) for r in case.result] for case in suite}

    failed = results("undelivered")
    assert failed["latecomers › no-loss, line 9"] == [(Failure, "undelivered")]
    assert failed["latecomers › expect hello, line 12"] == [(Failure, "missing")]
    assert failed["latecomers › no-duplicate"] == []
    assert failed["latecomers › cursors"] == [(Skipped, None)]
    assert results("unknown")["latecomers › one-order"] == [(Error, "unknown")]
    assert results("not_ready") == {"latecomers › run": [(Error, "error")]}
    assert results("skipped") == {"latecomers › run": [(Skipped, None)]}
    assert results("interrupted")["latecomers › run"] == [(Error, "interrupted")]


def test_junit_points_at_the_line_and_carries_what_is_needed_to_play_it_again(tell):
    suite = next(iter(JUnitXml.fromstring(rendered(tell("undelivered")))))
    case = next(case for case in suite if "expect" in case.name)
    assert (case._elem.get("file"), case._elem.get("line")) == ("scenarios/latecomers.yaml", "12")
    properties = {item.name: item.value for item in suite.properties()}
    assert properties["seed"] == "20261122"
    assert properties["command"] == "chatsim run x.yaml"
    assert properties["environment.versions.python"] == "3.11.7"


def test_junit_tells_how_long_the_rows_took_and_all_of_them(tell):
    rows = tell("passes"), tell("undelivered")
    root = ET.fromstring(rendered(*rows, duration_ns=9_000_000_000))
    assert [suite.attrib["time"] for suite in root] == [str(row.duration_ns / 1e9) for row in rows]
    assert root.attrib["time"] == "9.0"
    case = next(case for case in root.iter("testcase") if "expect" in case.attrib["name"])
    assert 0 < float(case.attrib["time"]) <= rows[0].duration_ns / 1e9


def test_equal_rows_stay_apart(tell):
    assert len(JUnitXml.fromstring(rendered(tell("passes"), tell("passes"), tell("passes")))) == 3


@given(st.text(st.characters()))
def test_xml_gets_no_forbidden_character(text):
    made = junit.xml_text(text)
    element = ET.Element("a")
    element.text = made
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).text or not made


def test_the_json_report_is_versioned_and_deterministic(told):
    name, row = told
    one = json_.render(Invocation(rows=(row,), seed=3))
    other = json_.render(Invocation(rows=(row,), seed=3))
    assert one == other
    assert one.isascii()
    data = json.loads(one)
    assert (data["format"], data["version"]) == ("chatsim.report", 1)
    assert data["rows"][0]["status"] == row.status.value, name
    assert sum(data["totals"].values()) == 1


def test_every_violation_is_in_the_json_report(tell):
    (row,) = json.loads(json_.render(Invocation(rows=(tell("fifty_clients"),))))["rows"]
    (verdict,) = row["verdicts"]
    assert len(verdict["violations"]) == 40
    first = verdict["violations"][0]
    assert first["places"] == [{"pointer": "/steps/1", "line": 9, "column": 5}]
    assert [op["process"] for op in first["proof"]] == ["bob", "bob", "user-30"]
    assert len(row["who_got_what"][0]["receipts"]) == 50


def test_an_empty_command_still_has_reports(tmp_path):
    write_reports(Invocation(rows=()), tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["status"] is None
    assert len(JUnitXml.fromfile(str(tmp_path / "junit.xml"))) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "report.json"]


def test_reports_are_replaced_whole(tmp_path, tell):
    (tmp_path / "report.json").write_text("old")
    write_reports(Invocation(rows=(tell("passes"),)), tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "pass"


def test_last_lines_of_logs(tmp_path):
    (tmp_path / "server.log").write_bytes(b"a\n\xff\xfe\nlast")
    (tmp_path / "bob#2.log").write_text("".join(f"line {n}\n" for n in range(100_000)))
    (tmp_path / "empty.log").write_text("")
    (tmp_path / "other.txt").write_text("no log")
    logs = read_logs(tmp_path)
    assert logs["server"] == ("a", "\ufffd\ufffd", "last")
    assert logs["bob#2"] == tuple(f"line {n}" for n in range(99_980, 100_000))
    assert logs["empty"] == ()
    assert set(logs) == {"server", "bob#2", "empty"}
    assert read_logs(tmp_path / "nowhere") == {}


def test_one_endless_line_of_a_log(tmp_path):
    path = tmp_path / "x.log"
    path.write_text("x" * 100_000)
    assert last_lines(path) == ("x" * 16_384,)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("echo", "::error file=scenarios/latecomers.yaml,line=9::bob got `hello`, which bob sent"),
        (
            "not_ready",
            "::error file=scenarios/latecomers.yaml::latecomers: the server was not ready within 5 s",
        ),
    ],
)
def test_annotations(tell, name, line):
    assert annotation_lines(tell(name)) == [line]


def test_annotations_of_hostile_text_stay_on_their_line(tell):
    (line,) = annotation_lines(tell("hostile"))
    assert line.isprintable()
    assert annotation_lines(tell("passes")) == []
    assert annotation_lines(tell("unknown"))[0].startswith("::warning ")
