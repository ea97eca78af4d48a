"""Where things stand in the diagram: the page's own functions, run in Node on data made here."""

from __future__ import annotations

import json
import subprocess

import pytest

from harness.report.html.render import asset

pytestmark = pytest.mark.needs("node")

MS = 1_000_000


@pytest.fixture(scope="module")
def run():
    """Evaluates expressions after layout.js and latency.js, all at once, and returns their values."""

    def run(*expressions):
        ours = asset("layout.js") + asset("latency.js")
        program = f"{ours}\nconsole.log(JSON.stringify([{','.join(expressions)}]))"
        done = subprocess.run(
            ["node", "-"], input=program, capture_output=True, text=True, check=True, timeout=60
        )
        return json.loads(done.stdout)

    return run


def test_every_moment_has_a_row_of_its_own_in_order(run):
    times = [5, 5, 3, 900 * MS, 901 * MS, 4, 60_000 * MS]
    placed, between, before, after = run(
        f"placeTimes({times})",
        f"heightOf(placeTimes({times}), {900 * MS + MS // 2})",
        f"heightOf(placeTimes({times}), 0)",
        f"heightOf(placeTimes({times}), 1e15)",
    )
    assert placed["moments"] == sorted(set(times))
    steps = [b - a for a, b in zip(placed["ys"], placed["ys"][1:], strict=False)]
    assert min(steps) >= 18
    assert max(steps) == 46  # a minute takes no more room than that, and is named
    assert [gap["ns"] for gap in placed["gaps"]] == [900 * MS - 5, 60_000 * MS - 901 * MS]
    assert placed["ys"][3] < between < placed["ys"][4]
    assert before < placed["ys"][0]
    assert after == placed["height"]


def test_no_moments_are_no_rows(run):
    placed, height = run("placeTimes([])", "heightOf(placeTimes([]), 5)")
    assert (placed["moments"], placed["ys"], height) == ([], [], 34)


def test_lanes_fit_or_scroll_and_the_server_is_in_their_middle(run):
    wide, narrow = run(
        "(({names, xs, pitch, width}) => ({names, xs: [...xs.values()], pitch, width}))"
        "(placeLanes(['a', 'b', 'c'], 'server', 1000))",
        "placeLanes(['a', 'b', 'c'], 'server', 200)",
    )
    assert wide["names"] == ["a", "b", "server", "c"]
    assert wide["xs"] == sorted(wide["xs"])
    assert wide["width"] <= 1000
    assert narrow["pitch"] == 84  # names are still told apart; the pane scrolls


DIAGRAM = {
    "arrows": [
        {
            "op": n,
            "source": "a" if n % 2 else "b",
            "target": "server",
            "begun_ns": n * 10,
            "ended_ns": n * 10 + 5,
        }
        for n in range(100)
    ],
    "marks": [
        {"op": -1, "kind": "never", "lane": "a", "time_ns": 990},
        {"op": 7, "kind": "life", "lane": "c", "time_ns": 70},
    ],
}


def test_of_too_much_the_proof_is_drawn_and_the_rest_counted(run):
    (chosen,) = run(
        f"choose({json.dumps(DIAGRAM)}, new Set(['server', 'a', 'b']), 0, 2000, 10, new Set([96, 97]))"
    )
    assert [arrow["op"] for arrow in chosen["arrows"]] == [0, 1, 2, 3, 4, 5, 6, 96, 97]
    assert [mark["kind"] for mark in chosen["marks"]] == ["never"]
    assert chosen["left"] == 91


def test_lanes_and_times_that_are_not_chosen_are_not_drawn(run):
    chosen, times = run(
        f"choose({json.dumps(DIAGRAM)}, new Set(['server', 'a']), 103, 131, 700, new Set())",
        f"momentsOf(choose({json.dumps(DIAGRAM)}, new Set(['server', 'a']), 112, 131, 700, new Set()), 112, 131)",
    )
    assert [arrow["op"] for arrow in chosen["arrows"]] == [11, 13]
    assert chosen["left"] == 0
    assert times == [115, 130]  # an arrow that comes from before, or goes beyond, is drawn cut


def test_times_are_told_as_everywhere(run):
    told = run("clock(1231456789)", "long(4000000)", "long(400000)", "long(2500000000)", "long(125e9)")
    assert told == ["1.231 s", "4.0 ms", "0.4 ms", "2.5 s", "2 min 5 s"]


def test_a_mark_is_told_up_to_the_next_lane_on_which_something_happens(run):
    lanes = "placeLanes(['a', 'b', 'c'], 'server', 1000)"
    marks = [{"lane": "a", "time_ns": 5}, {"lane": "c", "time_ns": 5}, {"lane": "b", "time_ns": 6}]
    arrows = [{"source": "b", "begun_ns": 6, "target": "server", "ended_ns": 7}]
    chosen = json.dumps({"marks": marks, "arrows": arrows})
    (rooms,) = run(
        f"{json.dumps(marks)}.map(roomBeside({chosen}, {lanes})).map((room) => room / {lanes}.pitch)"
    )
    assert rooms[0] == 3  # to c, with b and the server between them
    assert 0.9 < rooms[1] < 1.1  # to the edge
    assert rooms[2] == 3  # however far that is


def test_the_last_lane_is_told_of_on_its_inner_side_where_nothing_else_is(run):
    lanes = "placeLanes(['a', 'b', 'c'], 'server', 1000)"
    marks = [{"lane": "c", "time_ns": 5}, {"lane": "c", "time_ns": 7}]
    arrows = [{"source": "b", "begun_ns": 6, "target": "server", "ended_ns": 7}]
    chosen = json.dumps({"marks": marks, "arrows": arrows})
    (rooms,) = run(
        f"{json.dumps(marks)}.map(roomBeside({chosen}, {lanes})).map((room) => room / {lanes}.pitch)"
    )
    assert rooms == [-3, -1]  # as far as anywhere; to the server, where an arrow ends


def test_what_stands_in_one_place_is_one_mark(run):
    def mark(kind, label, lane="a", time=5):
        return {"op": 1, "kind": kind, "lane": lane, "time_ns": time, "label": label}

    marks = [
        *(mark("never", f"never got {name}") for name in "xyx"),
        mark("broken", "expect x: not fulfilled"),
        mark("fence", "fence"),
        mark("kept", "expect y: fulfilled", lane="b"),
        mark("life", "ready", time=6),
    ]
    (told,) = run(
        f"together({json.dumps(marks)}).map(({{kind, lane, told, label}}) => [kind, lane, told, label])"
    )
    assert told == [
        ["never", "a", "never got x, y", "never got x, y; expect x: not fulfilled"],
        ["fence", "a", "fence", "fence"],  # it is a line, and has a place of its own
        ["kept", "b", "", "expect y: fulfilled"],
        ["life", "a", "ready", "ready"],
    ]


def test_few_lanes_fill_their_pane(run):
    (width,) = run("placeLanes(['a'], 'server', 1000).width")
    assert width == 1000


def test_names_are_told_in_ranges(run):
    told = run(
        "inRanges(['user-1', 'user-2', 'user-3', 'user-5', 'bob', 'x-1', 'x-2'])",
        "inRanges([])",
        "inRanges(['a-b'])",
    )
    assert told == ["user-1..3, user-5, bob, x-1, x-2", "", "a-b"]


def test_a_text_is_cut_to_its_room(run):
    told = run(*(f"cutTo('👩abcdef', {room}, (text) => [...text].length)" for room in (7, 5, 1)))
    assert told == ["👩abcdef", "👩abc…", "👩a…"]


def test_percentiles_are_bounds_that_a_share_is_not_above(run):
    parts = [{"counts": [[0, 90]]}, {"counts": [[0, 5], [2, 4]]}, {"counts": [[3, 1]]}]
    told = run(
        *(
            f"percentile(sumCounts({json.dumps(parts)}), {share}, [10, 20, 30])"
            for share in (0.5, 0.95, 0.96, 0.99)
        ),
        f"percentile(sumCounts({json.dumps(parts)}), 1, [10, 20, 30]) === Infinity",
        "percentile([], 0.5, [10])",
    )
    assert told == [10, 10, 30, 30, True, None]


def test_parts_of_a_chosen_time_and_lines_without_what_is_missing(run):
    told = run(
        "partsIn(10, 100, 15, 40)", "unbroken([1, 2, null, null, 3])", "decades([2e6, 3e7])", "decades([])"
    )
    assert told == [[1, 2, 3], [[1, 2], [3]], [6, 8], [5, 6]]
