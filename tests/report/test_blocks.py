"""What holds for every block, whatever happened: it fits, it is short, it is harmless, it names the people."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.span import Span
from harness.model.verdict import RunStatus, Status, Verdict, Violation
from harness.report.excerpt import Place, excerpt
from harness.report.failure import check_block, failure_block
from harness.report.look import Look
from harness.report.model import Invocation
from harness.report.terminal import again, detail_lines, ending, name_cells, summary_line, verdict_line
from harness.report.text import width

PASTED = re.compile(r"  (again|re-judge|report) ")


@pytest.mark.parametrize("columns", [60, 72, 80, 120])
def test_every_line_fits(told, columns):
    _, row = told
    look = Look(width=columns)
    texts = [summary_line(row, look), detail_lines(row, look), failure_block(row, look)]
    texts += [ending(Invocation(rows=(row, row), seed=1, directory="reports/x"), look)]
    for text in texts:
        for line in text.split("\n"):
            assert width(line) <= columns or PASTED.match(line), line


def test_nothing_harmful_reaches_the_terminal(told):
    _, row = told
    text = ending(Invocation(rows=(row,)))
    text.encode("utf-8")
    assert not set(re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", text))


def test_colour_adds_nothing_but_colour(told):
    _, row = told
    for draw in (summary_line, detail_lines, failure_block):
        assert re.sub(r"\x1b\[\d+m", "", draw(row, Look(color=True))) == draw(row, Look())


def test_a_block_is_never_hundreds_of_lines(told):
    _, row = told
    assert len(failure_block(row).split("\n")) < 110
    many = Invocation(rows=(row,) * 500, directory="reports/x")
    assert len(ending(many).split("\n")) < 260


def test_more_violations_than_are_shown_are_counted(tell):
    text = failure_block(tell("fifty_clients"))
    assert text.count("✗ no-loss") == 5
    assert text.endswith("… and 35 more in report.json")


def test_a_row_that_passed_has_no_block(tell):
    assert failure_block(tell("passes")) == ""
    assert failure_block(tell("skipped")) == ""


def test_people_messages_and_places_are_named(tell):
    text = failure_block(tell("undelivered"))
    for part in (
        "chad never got `hello`",
        "scenarios/latecomers.yaml:9:5",
        "chad ✗ never",
        "pid 4131",
        "#20 ",
    ):
        assert part in text


def test_a_later_block_about_the_same_delivery_names_the_first(story):
    made = story().begin()
    first, answered = made.sent()
    seen = made.got(519, "doug")

    def block(name, group, kind, *ops):
        violation = Violation(kind=kind, sentence="…", ops=ops, clients=("doug",), messages=("hello",))
        return Verdict(name=name, group=group, status=Status.FAIL, violations=(violation,))

    row = made.judged(
        RunStatus.FAIL,
        block("members-only", "invariant", "leak", first, answered, seen),
        block("expect hello", "expectation", "unwanted", first, seen),
        block("only sent", "expectation", "outcome", first, answered),
        block("only seen", "expectation", "outcome", seen),
        block("with a later one", "expectation", "outcome", first, seen, seen + 1),
    )
    sent, got = f"#{first}    0.512 s  bob send hello", f"#{seen}    0.519 s  doug got hello"
    again = f"#{first}, #{seen}: the same delivery as in members-only (leak)"
    proofs = [
        line.partition("proof")[2].strip() for line in failure_block(row).split("\n") if "= proof" in line
    ]
    assert proofs == [sent, again, sent, got, sent]
    assert check_block(row, row.verdicts[1]).count(got) == 1  # a block that stands alone tells all


def test_rows_after_many_are_counted(tell):
    rows = (tell("undelivered"),) * 20
    assert "… and 14 more rows that did not pass, in report.json" in ending(Invocation(rows=rows))


@pytest.mark.parametrize(
    ("command", "paths", "line"),
    [
        (("chatsim", "run", "scenarios/"), ("scenarios/",), "chatsim run scenarios/latecomers.yaml --seed 7"),
        (("chatsim", "run", "s/", "--seed", "7"), ("s/",), "chatsim run scenarios/latecomers.yaml --seed 7"),
        (("chatsim", "run", "s/", "--seed=7"), ("s/",), "chatsim run scenarios/latecomers.yaml --seed=7"),
        (
            ("chatsim", "run", "s/", "--server", "./mine --port {port}"),
            ("s/",),
            "chatsim run scenarios/latecomers.yaml --server './mine --port {port}' --seed 7",
        ),
        (
            ("chatsim", "run", "s/", "--watch", "--open", "--json"),
            ("s/",),
            "chatsim run scenarios/latecomers.yaml --open --seed 7",
        ),
        (("chatsim", "run", "x.yaml"), (), "chatsim run x.yaml --seed 7"),
        ((), (), "chatsim run scenarios/latecomers.yaml --seed 7"),
    ],
)
def test_the_line_to_paste(tell, command, paths, line):
    row = tell("undelivered")._replace(seed=7)
    assert again(Invocation(rows=(row,), command=command, paths=paths, seed=7), (row,)) == line


def test_rows_of_several_seeds_take_a_command_each(tell):
    row = tell("undelivered")._replace(seed=7)
    other = row._replace(seed=8, plan=dataclasses.replace(row.plan, file="storm.yaml"))
    both = Invocation(rows=(row, other), command=("chatsim", "run", "s/", "-j", "2"), paths=("s/",), seed=7)
    first = "chatsim run scenarios/latecomers.yaml -j 2 --seed 7"
    second = "chatsim run storm.yaml -j 2 --seed 8"
    assert again(both, (other,)) == second
    assert again(both, both.rows) == again(both) == f"{first}; {second}"
    assert again(both._replace(rows=(row, row)), (row, row)) == first


def test_no_number_is_parted_from_what_it_counts(tell):
    told = verdict_line(Invocation(rows=(tell("undelivered"),)), Look(width=77))
    assert told.split("\n") == [
        "1 run: 1 failed · 1 of 4 checks passed · nothing left behind · 6.7 s ·",
        "5.0 s of scripted waiting",
    ]


def test_the_verdict_line_when_nothing_was_selected():
    assert verdict_line(Invocation(rows=())).startswith("0 runs: nothing was selected")


def test_the_status_of_the_whole_is_the_highest_in_rank(tell):
    def status(*names: str) -> RunStatus | None:
        return Invocation(rows=tuple(tell(name) for name in names)).status

    assert status("passes", "unknown", "undelivered") is RunStatus.FAIL
    assert status("undelivered", "not_ready") is RunStatus.ERROR
    assert status("not_ready", "interrupted") is RunStatus.INTERRUPTED
    assert status("passes", "skipped") is RunStatus.PASS
    assert status("skipped") is RunStatus.SKIPPED
    assert status() is None


def test_what_was_left_behind_is_told(story):
    made = story()
    made.op(7_000, "harness", "ok", "leftovers", {"processes": [[77, "sleep 1000"]]})
    made.env["leaks"] = ["pid 77: sleep 1000"]
    row = made.judged(RunStatus.PASS)
    assert row.leaks == ("pid 77: sleep 1000",)
    assert "left behind: pid 77: sleep 1000" in summary_line(row)
    assert "1 thing left behind" in verdict_line(Invocation(rows=(row,)))


def test_a_name_is_whole_where_there_is_room(story):
    row = story().judged(RunStatus.PASS)
    row = row._replace(plan=dataclasses.replace(row.plan, name="storm_nostart[stream]"))
    look = Look(width=80)
    line = summary_line(row, look, name_cells=name_cells([row.name], look))
    assert line.startswith("    PASS  storm_nostart[stream] ")
    assert line.endswith((" checks", " check"))
    assert len(line) <= 80


def test_long_names_widen_the_column_a_little():
    assert name_cells(["basic"], Look()) == 20
    assert name_cells(["a-rather-long-name[stream]"], Look(width=100)) == 27
    assert name_cells(["x" * 500], Look(width=80)) == 25


LINES = st.lists(
    st.text(st.characters(exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=200),
    min_size=1,
    max_size=4,
)


@given(LINES, st.data())
def test_carets_stand_under_the_marked_characters(lines, data):
    line = data.draw(st.integers(1, len(lines)))
    text = lines[line - 1]
    column = data.draw(st.integers(1, len(text) + 1))
    place = Place(Span(line, column, data.draw(st.integers(1, 30))), "a note")
    out = excerpt("a.yaml", "\n".join(lines), [place], Look())
    assert out[0] == f"  --> a.yaml:{line}:{column}"
    assert all(width(row) <= 80 for row in out)
    assert "^" in out[3]


def test_several_places_are_merged_and_sorted():
    source = "one\ntwo\nthree\nfour: [a, b]\n"
    places = [
        Place(Span(4, 8, 1), "first"),
        Place(Span(4, 11, 1), "second"),
        Place(Span(1, 1, 3)),
        Place(Span(4, 8, 1), "first"),
    ]
    assert excerpt("f.yaml", source, places, Look()) == [
        "  --> f.yaml:4:8",
        "    |",
        "  1 | one",
        "    | ^^^",
        "    |",
        "  4 | four: [a, b]",
        "    |        ^ first",
        "    |           ^ second",
        "    |",
    ]


def test_a_long_line_is_cut_around_its_caret():
    source = "x" * 300 + "HERE" + "y" * 300
    out = excerpt("f.yaml", source, [Place(Span(1, 301, 4), "this")], Look())
    assert "HERE" in out[2]
    assert out[2].index("HERE") == out[3].index("^^^^")


def test_a_place_beyond_the_file_does_no_harm():
    assert excerpt("f.yaml", "", [Place(Span(99_999, 7, 3))], Look())[0] == "    --> f.yaml:99999:7"


def test_violations_without_places_name_the_file(story):
    violation = Violation(kind="died", sentence="the server ended")
    verdict = Verdict(name="processes", group="run", status=Status.FAIL, violations=(violation,))
    assert "--> scenarios/latecomers.yaml" in failure_block(story().judged(RunStatus.FAIL, verdict))
