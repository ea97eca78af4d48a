"""The comparison of what came with what was written."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness.matching import Mismatch, Standing, match_inbox, unmet, unwanted

NAMES = ["a.1", "a.2", "b.1", "b.2"]


def standing(open_: Sequence[str] = (), refused: Sequence[str] = (), unsent: Sequence[str] = ()):
    def of(id_: str) -> Standing:
        if id_ in open_:
            return "open"
        if id_ in refused:
            return "refused"
        return "unsent" if id_ in unsent else "certain"

    return of


def one(*ids: str) -> list[list[list[str]]]:
    return [[[id_]] for id_ in ids]


def test_exactly_in_order() -> None:
    assert match_inbox(one("x", "y"), ["x", "y"], standing()) == []


def test_missing() -> None:
    assert match_inbox(one("x", "y"), ["y"], standing()) == [Mismatch("missing", ("x",), 0)]


def test_unexpected() -> None:
    assert match_inbox(one("x"), ["x", "y"], standing()) == [Mismatch("unexpected", ("y",), None)]


def test_wrong_order_names_both() -> None:
    assert match_inbox(one("x", "y"), ["y", "x"], standing()) == [Mismatch("order", ("y", "x"), 0)]


def test_a_message_missing_does_not_put_the_others_out_of_order() -> None:
    assert match_inbox(one("x", "y", "z"), ["z"], standing()) == [
        Mismatch("missing", ("x",), 0),
        Mismatch("missing", ("y",), 1),
    ]


def test_open_ones_come_anywhere_or_not() -> None:
    for got in (["x", "y"], ["o", "x", "y"], ["x", "o", "y"], ["x", "y", "o"]):
        assert match_inbox(one("x", "o", "y"), got, standing(open_=["o"])) == []


def test_an_open_one_that_no_item_names_is_not_expected() -> None:
    assert match_inbox(one("x"), ["x", "o"], standing(open_=["o"])) == [Mismatch("unexpected", ("o",), None)]


def test_a_refused_one_must_not_come_though_it_is_written() -> None:
    assert match_inbox(one("x", "r"), ["x"], standing(refused=["r"])) == []
    assert match_inbox(one("x", "r"), ["x", "r"], standing(refused=["r"])) == [
        Mismatch("unexpected", ("r",), 1)
    ]


def test_what_was_never_sent_is_not_missed() -> None:
    assert match_inbox(one("x", "u"), ["x"], standing(unsent=["u"])) == []


def test_an_empty_inbox() -> None:
    assert match_inbox([], [], standing()) == []
    assert match_inbox([], ["x"], standing()) == [Mismatch("unexpected", ("x",), None)]


@given(st.permutations(NAMES))
def test_interleaved_is_any_merge_that_keeps_each_series(got: list[str]) -> None:
    kept = all(got.index(f"{lane}.1") < got.index(f"{lane}.2") for lane in "ab")
    assert (match_inbox([[["a.1", "a.2"], ["b.1", "b.2"]]], got, standing()) == []) is kept


@given(st.permutations(NAMES))
def test_a_list_of_series_is_one_after_the_other(got: list[str]) -> None:
    assert (match_inbox([[["a.1", "a.2"]], [["b.1", "b.2"]]], got, standing()) == []) is (got == NAMES)


@given(st.lists(st.sampled_from(NAMES), unique=True), st.lists(st.sampled_from(NAMES), unique=True))
def test_equal_lists_and_only_those_match(written: list[str], got: list[str]) -> None:
    assert (match_inbox(one(*written), got, standing()) == []) is (written == got)


def test_pairs() -> None:
    got = {("bob", "x"), ("chad", "y")}
    assert unmet(["x", "y"], ["bob", "chad"], got) == [("bob", "y"), ("chad", "x")]
    assert unmet(["x", "y"], ["bob", "chad"], got, lambda id_: id_ == "y") == [("bob", "y")]
    assert unwanted(["x", "y"], ["bob", "doug"], got) == [("bob", "x")]


def test_long_inboxes_are_linear() -> None:
    ids = [f"m.{number}" for number in range(50_000)]
    asked = itertools.count()

    def counted(_id: str) -> Standing:
        next(asked)
        return "certain"

    assert match_inbox([[ids]], ids, counted) == []
    assert next(asked) <= 2 * len(ids)
