"""Pages as Chromium shows them: readable, harmless, and doing what is asked of them.

`CHATSIM_PICTURES=DIR` leaves a picture of every state there, for people to look at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.model.history import Op
from harness.model.verdict import RunStatus, Violation
from harness.report.html.page import SHOWN
from harness.report.html.render import render_list
from tests.report.html.states import STATES
from tests.report.story import Story, a_plan, bad

pytestmark = pytest.mark.needs("chromium")

LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
FINE = {"faint": [], "out": [], "cut": [], "over": [], "wide": 0}
PICTURES = os.environ.get("CHATSIM_PICTURES")


def keep(browser, name):
    """Leave a picture for people, if they asked for it."""
    if PICTURES:
        browser.picture(Path(PICTURES) / f"{name}.png")


#: Each state wide and light, and narrow and dark; two of them in the other two ways as well.
WAYS = [(state, *way) for state in STATES for way in ((1280, False), (390, True))]
WAYS += [(state, *way) for state in ("undelivered", "storm") for way in ((1280, True), (390, False))]


@pytest.mark.parametrize(("state", "width", "dark"), WAYS)
def test_every_state_is_readable(show_page, state, width, dark):
    browser = show_page(STATES[state](), width=width, dark=dark)
    keep(browser, f"{state}-{width}-{'dark' if dark else 'light'}")
    assert browser.eval(LOOK) == FINE
    reach = (
        "[...new Set([...document.querySelectorAll('.hit')].map((line) => getComputedStyle(line).stroke))]"
    )
    assert set(browser.eval(reach)) <= {"rgba(0, 0, 0, 0)"}  # where one may click is not seen
    assert browser.complaints() == []


def test_it_is_readable_with_everything_open_and_any_time_chosen(show_page):
    browser = show_page(STATES["storm"]())
    browser.eval("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    for chosen in ("0, 1e9", "2.5e9, 2.7e9", "3.9e9, 3.95e9", "data.end_ns - 5, data.end_ns"):
        browser.eval(f"chooseTime({chosen})")
        assert browser.eval(LOOK) == FINE
    assert browser.complaints() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_list_of_runs_is_readable(browser, tmp_path, width):
    items = [
        {"status": status.value, "name": f"{status}-" + "n" * 60, "link": "", "cells": ["1 s", "why " * 40]}
        for status in RunStatus
    ]
    path = tmp_path / "index.html"
    path.write_text(render_list("Runs", ("ended", "run", "time", "why"), items, told="6 runs"))
    browser.open(path, width=width, dark=width == 390)
    keep(browser, f"list-{width}")
    assert browser.eval(LOOK) == FINE
    assert browser.complaints() == []


def test_fingers_meet_what_they_aim_at(show_page):
    browser = show_page(STATES["undelivered"](), width=390)
    small = browser.eval(
        "[...document.querySelectorAll('a, button, select, summary, input:not([type=checkbox]), label:has(input)')]"
        ".filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 24)"
        ".map((node) => node.outerHTML)"
    )
    assert small == []


@pytest.mark.parametrize("width", [1280, 390])
def test_what_stays_at_the_top_does_not_cover_what_one_goes_to(show_page, width):
    browser = show_page(STATES["storm"](), width=width)
    covered = "document.getElementById('range').getBoundingClientRect().bottom"
    browser.eval("document.querySelector('[data-finding]').click()")
    assert (
        browser.eval(f"document.querySelector('#diagram h2').getBoundingClientRect().bottom - {covered}") > 0
    )
    browser.eval("location.hash = '#L9'")
    assert browser.eval(f"document.getElementById('L9').getBoundingClientRect().top - {covered}") >= 0


@pytest.mark.parametrize("name", ["nothing", "skipped", "not_ready"])
def test_where_there_is_nothing_to_show_it_says_so(show_page, name):
    browser = show_page(STATES[name]())
    panes = "['diagram', 'who', 'range'].map((id) => document.getElementById(id).checkVisibility())"
    assert browser.eval(panes) == [False] * 3
    told = browser.eval("document.body.innerText")
    assert ("It was not played." if name == "skipped" else "Nobody did anything that was recorded") in told


def test_a_run_without_a_message_has_no_empty_table(show, story):
    told = story().begin().end()
    browser = show(told.judged(RunStatus.UNKNOWN, reason="nothing was said"))
    assert browser.eval("document.getElementById('who').innerText").split("\n")[-1] == "No message was sent."
    assert browser.eval(LOOK) == FINE


def test_a_message_is_followed_from_the_diagram_the_table_and_a_link(show, tell):
    browser = show(tell("inbox_order"), link="#m-early")
    assert browser.eval("document.querySelector('#card h3').textContent") == "early"
    browser.eval(
        "document.querySelector('.arrow.deliver').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    card = browser.eval("document.getElementById('card').innerText")
    for words in ("hello", "from\nbob to lobby", "sent\n0.512 s", "stored\nas #1", "answered\nok at 0.514 s"):
        assert words in card
    assert "chad\n✓ 0.516 s, 4.0 ms after it was sent" in card
    assert browser.eval("location.hash") == "#m-hello"
    assert browser.eval("document.querySelector('#who tr.picked button').textContent") == "hello"


def test_who_misses_a_message_is_told_with_where_he_was(show, tell):
    browser = show(tell("undelivered"))
    card = browser.eval("document.getElementById('card').innerText")
    assert "chad\n✗ never got it, and should have; online when it was sent" in card
    assert "not a member\ndoug" in card


def test_every_pane_follows_the_time_chosen(show, tell):
    browser = show(tell("undelivered"))
    drawn = "document.querySelectorAll('#canvas .arrow').length"
    logged = "[...document.querySelectorAll('#log tbody td:first-child')].map((cell) => parseFloat(cell.textContent))"
    whole = browser.eval(drawn)
    browser.eval("chooseTime(500e6, 600e6)")
    times = browser.eval(logged)
    assert times
    assert all(0.5 <= time <= 0.6 for time in times)
    assert 0 < browser.eval(drawn) < whole
    assert browser.eval("[...document.querySelectorAll('#script tr.in')].map((row) => row.id)") == [
        "L9",
        "L12",
    ]
    assert "From 0.500 s to 0.600 s" in browser.eval("document.getElementById('span').textContent")
    browser.eval("chooseTime(3e9, 4e9)")
    assert browser.eval("document.querySelectorAll('#who tbody tr').length") == 0
    browser.press("w")
    assert browser.eval(drawn) == whole
    assert browser.eval("document.querySelectorAll('#who tbody tr').length") == 1


def test_lives_faults_plots_and_findings_follow_the_time_chosen(show_page):
    browser = show_page(STATES["storm"]())
    captions = "[...document.querySelectorAll('figcaption')]"
    counted = f"{captions}.map((each) => Number(each.textContent.match(/\\((\\d+)/)[1]))"
    faults = "[...document.querySelectorAll('#processes li:not([hidden])')].map((each) => each.textContent)"
    aside = "[...document.querySelectorAll('.finding.aside')].length"
    browser.press("w")
    answers, deliveries = browser.eval(counted)
    assert answers == 120
    assert deliveries > 5_000
    assert len(browser.eval(faults)) == 3
    assert browser.eval(aside) == 0
    browser.eval("chooseTime(3.5e9, 3.8e9)")
    fewer = browser.eval(counted)
    assert 0 < fewer[0] < answers
    assert 0 < fewer[1] < deliveries
    assert [fault[:11] for fault in browser.eval(faults)] == ["kill user-3"]
    assert browser.eval(aside) == 7  # all that have a proof, which is at another time
    assert browser.eval("document.getElementById('lifetime').textContent") == "from 3.500 s to 3.800 s"
    seen = "document.querySelector('#processes svg').viewBox.baseVal"
    end = browser.eval("data.end_ns")
    assert browser.eval(f"{seen}.x") == pytest.approx(3.5e12 / end, rel=0.01)
    assert browser.eval(f"{seen}.width") == pytest.approx(0.3e12 / end, rel=0.01)
    assert browser.complaints() == []


def test_a_step_of_the_script_chooses_its_time(show, tell):
    browser = show(tell("undelivered"))
    browser.eval("document.querySelector('#L9 button').click()")
    assert browser.eval("[state.from, state.to]") == [507e6, 519e6]


def test_the_next_violation_is_opened_among_others_of_its_kind(show_page):
    browser = show_page(STATES["storm"]())
    opened = []
    for _ in range(4):
        browser.press("n")
        opened.append(browser.eval("document.activeElement.closest('.finding').id"))
    assert opened == ["f1", "f2", "f3", "f4"]
    assert browser.eval("document.getElementById('f3').closest('.more').open") is True


def test_keys_lead_from_violation_to_violation_and_from_message_to_message(show, tell):
    browser = show(tell("inbox_order"))
    browser.press("n")
    assert browser.eval("document.activeElement.parentElement.id") == "f1"
    picked = []
    for key in "kkj":
        browser.press(key)
        picked.append(browser.eval("state.message"))
    assert picked == ["early", "early", "hello"]
    browser.press("Escape")
    assert browser.eval("state.message") == ""
    browser.press("/")
    assert browser.eval("document.activeElement.id") == "find"


def test_the_log_is_searched(show, tell):
    browser = show(tell("undelivered"))
    browser.eval(
        "const words = document.getElementById('find'); words.value = 'FENCE';"
        " words.dispatchEvent(new Event('input'))"
    )
    texts = browser.eval(
        "[...document.querySelectorAll('#log tbody td:last-child')].map((cell) => cell.textContent)"
    )
    assert texts == ["6.600 fence reached", "fence by position begins", "fence by position reached"]
    browser.eval(
        "words.value = ''; const only = document.getElementById('proof'); only.checked = true;"
        " only.dispatchEvent(new Event('input'))"
    )
    assert browser.eval("document.querySelectorAll('#log tbody tr').length") == 4


def test_a_long_run_shows_its_first_violation(show):
    story = Story(a_plan(cast=tuple(f"user-{n}" for n in range(50)))).begin()
    for number in range(9_000):
        name = f"m.{number}"
        story.ops.append(
            Op(len(story.ops), 10**9 + number * 10**6, f"user-{number % 50}", "ok", "deliver",
               story.message(id=name, client_message_id=name))
        )  # fmt: skip
    wrong = 5_000
    client, name = story.ops[wrong].client, story.ops[wrong].value["id"]
    violation = Violation(kind="leak", sentence="too far", ops=(wrong,), messages=(name,), clients=(client,))
    browser = show(story.judged(RunStatus.FAIL, bad("members-only", violation)))
    assert "4," in browser.eval("document.querySelector('#range ~ .notice').textContent")
    assert browser.eval("data.entries.length") <= SHOWN + 200
    assert browser.eval("document.querySelectorAll('#canvas .arrow.proof').length") == 1
    assert browser.eval("document.querySelector('#card h3').textContent") == name
    assert browser.complaints() == []


def test_keys_reach_all_that_can_be_used_in_the_order_of_the_page(show_page):
    browser = show_page(STATES["undelivered"]())
    browser.eval("window.visited = []; document.body.focus()")
    seen = []
    for _ in range(80):
        browser.press("Tab")
        place = browser.eval(
            "[...document.querySelectorAll('*')].indexOf(document.activeElement) + "
            "(document.activeElement.getBoundingClientRect().width ? '' : ' hidden')"
        )
        if place == "1" or (seen and place == seen[0]):
            break
        seen.append(place)
    assert len(seen) > 25
    first = seen.index(min(seen, key=int))  # where a browser begins is its own affair
    assert [*seen[first:], *seen[:first]] == sorted(seen, key=int)
    reached = browser.eval(f"[{','.join(seen)}].map((place) => document.querySelectorAll('*')[place].id)")
    assert {"theme", "from", "to", "whole", "canvas", "odd", "find", "by"} <= set(reached)


def test_it_can_be_printed(show_page, browser):
    show_page(STATES["storm"](), width=794)
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser.call("Emulation.setEmulatedMedia", media="print", features=[dark])
    assert browser.eval("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    keep(browser, "print")
    assert browser.eval(LOOK) == FINE
    assert browser.eval("getComputedStyle(document.getElementById('range')).display") == "none"
    assert browser.eval("getComputedStyle(document.querySelector('#log .wide')).overflow") == "visible"
