"""The diagram is small, shows the proof, and keeps its lines straight."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.model.history import Op
from harness.report.sequence import Never, draw, lanes_that_fit
from harness.report.text import width

NAMES = st.sampled_from(
    ["alice", "bob", "chad#2", "server", "harness", "script", "nemesis", "李雷", "a" * 60]
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "id": st.one_of(st.none(), st.text(max_size=30)),
        "text": st.text(max_size=30),
        "sequence": st.integers(0, 2**62),
        "through": st.integers(),
        "state": st.sampled_from(["lost", "restored"]),
        "code": st.integers(0, 255),
        "signal": st.one_of(st.none(), st.integers(1, 64)),
        "asked": st.booleans(),
    },
)
FS = st.sampled_from(
    [
        "start",
        "exit",
        "connect",
        "disconnect",
        "connection",
        "send",
        "deliver",
        "claim",
        "fence",
        "ack",
        "poll",
        "kill",
    ]
)
HISTORIES = st.lists(
    st.tuples(NAMES, st.sampled_from(["invoke", "ok", "fail", "info"]), FS, VALUES), max_size=60
)


@given(HISTORIES, st.integers(60, 140), st.sets(st.integers(0, 59), max_size=5))
def test_whatever_happened_it_is_small_and_fits(rows, columns, proof):
    ops = [Op(n, n * 10**9, process, kind, f, value) for n, (process, kind, f, value) in enumerate(rows)]
    lines = draw(ops, ["alice", "bob", "chad", "李雷"], proof=proof, columns=columns, others=3)
    assert len(lines) <= 1 + 12 + 2
    assert all(width(line) <= columns for line in lines)


def test_the_proof_is_kept_when_there_is_too_much():
    ops = [Op(n, n * 10**6, "bob", "ok", "deliver", {"id": f"m{n}"}) for n in range(200)]
    lines = draw(ops, ["bob"], proof={150, 199}, never=[Never(client="bob", message="gone", time_ns=10**9)])
    text = "\n".join(lines)
    assert "m150" in text
    assert "m199" in text
    assert "[✗ never got gone]" in text
    assert lines[-1].strip() == "… 189 more events in history.jsonl"


def test_lanes_are_dotted_while_nobody_is_there():
    ops = [
        Op(0, 0, "bob", "ok", "connect", {}),
        Op(1, 10**9, "server", "ok", "exit", {"code": None, "signal": 9, "asked": False}),
        Op(2, 2 * 10**9, "bob", "ok", "connection", {"state": "lost"}),
        Op(3, 3 * 10**9, "server", "ok", "start", {"pid": 2}),
        Op(4, 4 * 10**9, "bob", "ok", "deliver", {"id": "m"}),
    ]
    ops.insert(0, Op(9, 0, "server", "ok", "start", {"pid": 1}))
    assert draw(ops, ["bob"]) == [
        "                    bob                 server",
        "   0.000s            │────── connect ─────▶│",
        "   1.000s            │                [killed -9]",
        "   2.000s    [connection lost]             ┊",
        "   3.000s            ┊                  [ready]",
        "   4.000s            │◀──────── m ─────────│",
    ]


def test_clients_without_room_are_counted():
    lines = draw([], [f"c{n}" for n in range(50)], columns=80)
    assert lanes_that_fit(80) == 4
    assert lines[0].split() == ["c0", "c1", "server", "c2"]
    assert lines[-1].strip() == "… 47 others not drawn"


def test_who_is_put_out_of_a_room_is_drawn_whoever_did_it():
    kick = {"room": "lobby", "user": "ben"}
    assert draw([Op(0, 0, "ann", "ok", "kick", kick)], ["ann"])[1].split() == [
        "0.000s",
        "┊─────",
        "kick",
        "ben",
        "─────▶│",
    ]
    assert "── ann: kick ben ──" in draw([Op(0, 0, "ann", "ok", "kick", kick)], ["ben"])[1]


def test_nothing_is_delivered_to_who_has_not_connected_yet():
    ops = [
        Op(0, 10**6, "bob", "ok", "deliver", {"id": "one"}),
        Op(1, 2 * 10**6, "bob", "ok", "deliver", {"id": "two"}),
        Op(2, 3 * 10**6, "bob", "ok", "connect", {}),
        Op(3, 4 * 10**6, "bob", "ok", "exit", {"code": 0, "signal": None, "asked": True}),
        Op(4, 5 * 10**6, "bob#2", "ok", "connect", {}),
        Op(5, 6 * 10**6, "bob#2", "ok", "deliver", {"id": "three"}),
    ]
    told = [
        line.split()[0] + " " + " ".join(line.split("│")[1].split("─")) for line in draw(ops, ["bob"])[1:3]
    ]
    assert [" ".join(line.split()) for line in told] == ["0.001s connect ▶", "0.001s ◀ one"]
    assert ["three" in line for line in draw(ops, ["bob"])[-1:]] == [True]
