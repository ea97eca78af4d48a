"""A page is one file that loads nothing and runs nothing but its own."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.html.page import compose
from harness.report.html.render import embedded, render_list, render_page
from tests.report.story import story_of


def text_of(row):
    story = story_of(row)
    return render_page(compose(row, story.ops, story.logs))


def test_it_asks_for_nothing(told):
    page = text_of(told[1])
    assert not re.findall(r"<(?:link|img|iframe|object|embed|base)\b", page)
    assert not re.findall(r"\b(?:src|srcset|action|formaction|style|on\w+)\s*=\s*[\"']", page)
    assert not re.findall(r"@import|url\(", page)
    kept = {"http://www.w3.org/2000/svg"}  # the name of a language, not an address
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) <= kept | {
        "http://evil\\\\x07click",
        "http://evil\\x07click",
    }


def test_its_policy_names_exactly_its_own_scripts_and_style(told):
    page = text_of(told[1])
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    policy = policy.replace("&#39;", "'")
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    for directive, found in (
        ("script-src", re.findall(r"<script>(.*?)</script>", page, re.DOTALL)),
        ("style-src", re.findall(r"<style>(.*?)</style>", page, re.DOTALL)),
    ):
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found]
        assert allowed[directive] == " ".join(f"'sha256-{value}'" for value in hashes)


def test_the_data_are_in_it(tell):
    page = text_of(tell("undelivered"))
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    data = json.loads(text)
    assert data["clients"] == ["alice", "bob", "chad", "doug"]
    assert data["users"]["bob"] == ["bob"]
    assert data["findings"][0] == {"proof": [14, 15, 16, 20], "messages": ["hello"], "clients": ["chad"]}
    assert data["messages"][0]["cells"][2]["state"] == "missed"


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_data_cannot_leave_their_element(data):
    text = embedded(data)
    assert not set(text) & set("<>&\u2028\u2029")
    assert text.isascii()
    assert json.loads(text) == data


@pytest.mark.parametrize("word", ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "&lt;"])
def test_markup_in_what_strangers_wrote_is_text(story, word):
    told = story(text=word, title=word, description=word, file=f"{word}.yaml")
    told.sent()
    told.logs = {"server": [word]}
    told.env["versions"] = {word: word}
    told.env["leaks"] = [word]
    page = text_of(told.report(None))
    assert word not in page.replace("<title>", "")
    assert page.count("<script>") == 6


def test_a_list_leads_to_pages_and_escapes_the_rest():
    items = [
        {"status": "fail", "name": "<b>storm", "link": "storm/index.html", "cells": ["1 s", "<i>"]},
        {"status": "unknown", "name": "gone", "link": "", "cells": ["", ""]},
    ]
    page = render_list("Runs", ("ended", "run", "time", "why"), items, told="2 runs")
    assert '<a href="storm/index.html">&lt;b&gt;storm</a>' in page
    assert "<i>" not in page
    assert '<td class="short">gone</td>' in page


def test_no_number_is_parted_from_its_unit_and_no_name_from_what_became_of_it(tell):
    page = text_of(tell("undelivered"))
    assert "chad did not get `hello` within 2\u00a0s" in page
    assert '<span class="keep">alice ✓ 0.516 s</span>   <span class="keep">bob – sender</span>' in page
    assert '<span class="keep">chatsim 0.1.0, python 3.11.7 ·</span> <span class="keep">2026-11-22' in page


@pytest.mark.parametrize(
    ("command", "pieces"),
    [
        (
            "chatsim run a.yaml -j 2 --no-skip --server './mine --port {port}' --seed 7",
            [
                "chatsim",
                "run",
                "a.yaml",
                "-j 2",
                "--no-skip",
                "--server './mine",
                "--port {port}'",
                "--seed 7",
            ],
        ),
        ("chatsim run a.yaml --seed=7 b.yaml", ["chatsim", "run", "a.yaml", "--seed=7", "b.yaml"]),
        ("x --seed 1; x --seed -2 --", ["x", "--seed 1;", "x", "--seed", "-2", "--"]),
        ("x -- '  <b>' ", ["x", "--", "'", "", "<b>'", ""]),
    ],
)
def test_an_option_and_its_value_stay_on_a_line_and_what_is_copied_is_the_command(command, pieces):
    page = render_list("Runs", ("ended", "run"), (), again=command)
    [shown] = re.findall(r'<code id="again">(.*)</code>', page)
    assert [html.unescape(piece) for piece in re.findall(r'<span class="keep">(.*?)</span>', shown)] == pieces
    assert html.unescape(re.sub("<[^>]*>", "", shown)) == command


def test_wide_characters_take_two_cells_so_that_carets_stand_below_them(tell):
    assert '[<span class="two">李</span><span class="two">雷</span>, ' in text_of(tell("wide"))


def test_of_half_a_record_nobody_says_what_was_not_done(story):
    made = story()
    page = compose(made.report(None), made.ops, made.logs)
    assert "Nobody did anything" in render_page(page)
    assert "not recorded" not in render_page(page)
    half = render_page(page._replace(partial="history.jsonl: not there."))
    assert "Nobody did anything" not in half
    assert "· not recorded" in half
    assert "not reached" not in half.replace('== "not reached"', "")


def test_a_step_under_way_has_no_tick_and_its_time_goes_on_to_the_end(story):
    made = story().begin()
    made.op(520, "script", "invoke", "expect", {"ids": ["hello"]}, op=300, step=2)
    made.got(900, "alice")
    page = render_page(compose(made.report(None), made.ops, made.logs))
    assert re.findall(r'class="(\w+)" data-from="(\d+)" data-to="(\d+)"[^>]*>([^<]*)</button>', page) == [
        ("good", "100000000", "123000000", "✓ 0.02\u00a0s"),
        ("doubt", "520000000", "900000000", "… unfinished"),
    ]
