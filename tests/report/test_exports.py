"""Mermaid and traces: what their readers are strict about, and a run told in them."""

from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from harness.report import mermaid, trace
from harness.report.exports import EXPORTS
from tests.report.html.states import storm
from tests.report.story import Story, story_of
from tests.report.test_golden import check

MERMAID, TRACE = EXPORTS["mermaid"], EXPORTS["trace"]


def test_a_small_run_in_mermaid(tell):
    row = tell("undelivered")
    check("undelivered.mermaid", MERMAID(row, story_of(row).ops))


def test_a_long_run_in_mermaid_is_cut_and_says_so():
    story = Story().begin()
    for number in range(300):
        name = f"m.{number}"
        story.got(1_000 + number, "alice", id=name, client_message_id=name)
    lines = MERMAID(story.report(None), story.ops).splitlines()
    assert len(lines) <= 1 + 5 + mermaid.LIMIT + 1
    assert "more events" in lines[-1]


@given(st.text(max_size=80))
def test_nothing_in_a_label_means_anything_to_mermaid(text):
    told = mermaid.label(text)
    codes = told.count("#")
    assert told.count(";") == codes  # every one belongs to a code
    assert not set(told) & set('<>{}[]()"`%&:')
    assert "end" not in told.lower().replace("#101;nd", "").split()


def test_hostile_names_stay_on_their_lines(tell):
    row = tell("hostile")
    text = MERMAID(row, story_of(row).ops)
    assert text.isprintable() is False  # only for its line ends
    assert text.replace("\n", "").isprintable()


def test_every_arrow_of_a_trace_is_bound_to_slices_that_do_not_overlap(told):
    _, row = told
    assert_bound(json.loads(TRACE(row, story_of(row).ops))["traceEvents"])


def test_the_arrows_of_a_storm_are_bound_as_well():
    events = json.loads(trace.render(storm().diagram))["traceEvents"]
    assert sum(event["ph"] == "s" for event in events) > 5_000
    assert_bound(events)


def assert_bound(events):
    """An arrow begins and ends at the begin of a slice of its own; no two slices of a track overlap."""
    tracks = {}
    for event in events:
        if event["ph"] == "X":
            tracks.setdefault((event["pid"], event["tid"]), []).append(
                (event["ts"], event["ts"] + event["dur"])
            )
    for slices in tracks.values():
        slices.sort()
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(slices))
    flows = {}
    for event in events:
        if event["ph"] in "sf":
            begins = [begin for begin, _ in tracks[event["pid"], event["tid"]]]
            assert event["ts"] in begins
            flows.setdefault(event["id"], []).append((event["ph"], event["ts"]))
    assert all(sorted(kind for kind, _ in ends) == ["f", "s"] for ends in flows.values())
    assert all(dict(ends)["s"] <= dict(ends)["f"] for ends in flows.values())


def test_a_trace_has_a_process_for_each_party_and_a_slice_for_each_call(tell):
    row = tell("undelivered")
    events = json.loads(TRACE(row, story_of(row).ops))["traceEvents"]
    names = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
    assert list(names.values()) == ["server", "alice", "bob", "chad", "doug"]
    (call,) = (e for e in events if e["name"] == "send hello" and e["ph"] == "X" and names[e["pid"]] == "bob")
    assert (call["ts"], call["dur"]) == (512_000, 2_000)
    assert [names[e["pid"]] for e in events if e["ph"] == "i" and e["name"] == "never: never got hello"] == [
        "chad"
    ]


#: What the trace event format asks of each phase beside `ph`, `pid` and `name`: the keys, and what else there may be.
PHASES = {
    "X": ({"ts", "dur", "tid"}, {"cat", "args"}),
    "i": ({"ts", "tid", "s"}, {"cat", "args"}),
    "M": ({"args"}, {"tid"}),
    "s": ({"ts", "tid", "id", "cat"}, set()),
    "f": ({"ts", "tid", "id", "cat", "bp"}, set()),
}
METADATA = {"process_name": "name", "thread_name": "name", "process_sort_index": "sort_index"}


def test_every_event_of_a_trace_has_what_the_format_asks_of_its_phase(told):
    _, row = told
    whole = json.loads(TRACE(row, story_of(row).ops))
    assert whole["displayTimeUnit"] in ("ms", "ns")
    named = set()
    for event in whole["traceEvents"]:
        needed, allowed = PHASES[event["ph"]]
        keys = event.keys() - {"ph", "pid", "name"}
        assert needed <= keys <= needed | allowed, event
        assert isinstance(event["pid"], int)
        assert isinstance(event["name"], str)
        assert isinstance(event.get("tid", 0), int)
        assert event.get("ts", 0) >= 0
        assert event.get("dur", 1) > 0
        assert event.get("s", "t") in ("g", "p", "t")
        assert event.get("bp", "e") == "e"
        if event["ph"] == "M":
            assert event["args"].keys() == {METADATA[event["name"]]}
            named |= {event["pid"]} if event["name"] == "process_name" else set()
        else:
            assert event["pid"] in named, "a process is named before it does anything"
