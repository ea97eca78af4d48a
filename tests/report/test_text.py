"""Text is harmless, and fits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.text import char_width, clip, count, moment, pad, safe, seconds, to_ascii, width, wrap

ANY = st.text(st.characters())  # lone surrogates included


@given(ANY)
def test_safe_text_moves_no_cursor_and_can_be_encoded(text):
    made = safe(text)
    made.encode("utf-8")
    assert "\n" not in made
    for char in made:
        assert unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
        assert char in "\u200c\u200d" or unicodedata.category(char) != "Cf"


@given(ANY)
def test_safe_text_is_never_longer_in_marks_than_a_letter_bears(text):
    marks = 0
    for char in safe(text):
        marks = marks + 1 if char_width(char) == 0 else 0
        assert marks <= 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202eabc", r"\u202eabc"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("日本", "日本"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_what_is_shown_for(text, shown):
    assert safe(text) == shown


@given(ANY.map(safe), st.integers(0, 40))
def test_clipped_text_fits(text, cells):
    assert width(clip(text, cells)) <= cells


@given(ANY.map(safe), st.integers(8, 40), st.integers(0, 4))
def test_wrapped_text_fits_and_loses_nothing_unless_it_is_cut(text, cells, lines):
    out = wrap(text, cells, lines=lines)
    assert all(width(line) <= cells for line in out)
    if lines:
        assert len(out) <= lines
    else:
        assert "".join(out).replace(" ", "") == text.replace(" ", "")


@given(ANY.map(safe), st.integers(0, 40))
def test_padded_text_has_the_width(text, cells):
    assert width(pad(text, cells)) == max(cells, width(text))


@given(ANY.map(safe))
def test_ascii_keeps_columns(text):
    made = to_ascii(text)
    assert made.isascii()
    assert len(made) == width(text)


def test_wide_characters_take_two_cells():
    assert width("李雷") == 4
    assert clip("李雷韩", 4) == "李…"


def test_numbers_in_words():
    assert [count(1, "client"), count(2, "client")] == ["1 client", "2 clients"]
    assert [seconds(n) for n in (0, 1, 4_200_000, 50_000_000, 6_700_000_000, 125_000_000_000)] == [
        "0 s",
        "< 0.1 ms",
        "4.2 ms",
        "0.05 s",
        "6.7 s",
        "2 min 5 s",
    ]
    assert moment(512_400_000) == "0.512 s"
