"""Pages as Chromium shows them: readable, harmless, and doing what is asked of them.

`CHATSIM_PICTURES=DIR` leaves a picture of every state there, for people to look at.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from harness.model.cast import Room
from harness.model.history import Op
from harness.model.verdict import RunStatus, Violation
from harness.report.html.page import SHOWN
from harness.report.html.render import render_list, render_page
from tests.report.html.browser import Browser
from tests.report.html.states import STATES, page_of
from tests.report.story import SOURCE, Story, a_plan, bad

pytestmark = pytest.mark.needs("chromium")

LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
FINE = {"faint": [], "out": [], "cut": [], "over": [], "wide": 0}
PICTURES = os.environ.get("CHATSIM_PICTURES")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def show_page(browser, tmp_path):
    """Opens a page and returns the browser."""

    def show_page(page, link="", **how):
        path = tmp_path / "index.html"
        path.write_text(render_page(page), encoding="utf-8")
        browser.open(path, link=link, **how)
        return browser

    return show_page


@pytest.fixture
def show(show_page):
    """Opens the page of a report and returns the browser."""
    return lambda row, link="", **how: show_page(page_of(row), link, **how)


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


HOSTILE = [
    "<script>owned=1</script>",
    "</script><script>owned=1</script>",
    "<img src=x onerror=owned=1>",
    "<svg onload=owned=1>",
    "javascript:owned=1",
    "'\"><iframe srcdoc='<script>parent.owned=1</script>'>",
    "{{ 7*7 }}${owned=1}",
    "<!--<script>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_that_strangers_wrote_is_run(show_page, body):
    plan = a_plan(
        text=body,
        title=body,
        name=body,
        file=f"{body}.yaml",
        source=f"{SOURCE}# {body}\n",
        cast=("alice", "bob", body, "doug"),
        rooms=(Room(name="lobby", members=("alice", "bob")), Room(name=body, members=(body,))),
    )
    story = Story(plan).begin()
    first, _ = story.sent()
    seen = story.got(519, "alice", id=body, client_message_id=body, sender=body, room=body)
    story.op(520, body, "invoke", "send", story.message(id=f"{body}1", room=body), op=700, step=1)
    fault = {"code": body, "reason": body, "message": body}
    story.op(521, body, "fail", "send", story.message(id=f"{body}1", room=body), op=700, error=fault)
    story.op(522, "nemesis", "invoke", "kill", {"targets": [body], "id": body}, op=701)
    story.op(523, body, "ok", "exit", {"pid": body, "code": None, "signal": body, "asked": False})
    story.op(524, "alice", "ok", "join", {"room": body, "user": body})
    story.op(525, "alice", "info", "leave", {"room": body}, error=fault)
    story.op(526, "script", "fail", "expect", {"received_by": [body], "reason": body}, step=2)
    story.logs = {body: [body], "server": [body]}
    story.env |= dict.fromkeys(("server", "driver", "platform", "speed"), body)
    story.env |= {"versions": {body: body}, "command": ["chatsim", body], "leaks": [body], "cpus": body}
    violation = Violation(
        kind="phantom",
        sentence=body,
        ops=(first, seen),
        messages=(body, "hello"),
        clients=(body,),
        hint=body,
        expected=body,
        actual=body,
        world=body,
    )
    other = bad(f"{body} 2", Violation(kind=body, sentence=body), group="expectation", reason=body)
    row = story.judged(
        RunStatus.FAIL, bad(body, violation, violation, evidence={body: 1}, reason=body), other, reason=body
    )
    browser = show_page(page_of(row)._replace(partial=body, left_out=(body,)))
    picked = browser.eval(
        "[...document.querySelectorAll('#who tbody button')].map((button) => {"
        " button.click(); return document.querySelector('#card p').textContent })"
    )
    assert f"“{body}”" in picked
    browser.eval(
        "document.querySelectorAll('[data-finding], #lanes button').forEach((button) => button.click())"
    )
    assert_harmless(browser)


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_of_a_run_that_could_not_be_played_is_run(show_page, body):
    error = {
        "sentence": body,
        "process": body,
        "command": body,
        "exit": body,
        "last_lines": [body],
        "help": body,
    }
    story = Story(a_plan(title=body))
    story.env |= {"status": "error", "reason": body, "error": error}
    assert_harmless(show_page(page_of(story.report(None))))


def assert_harmless(browser):
    """Nothing was run, and nothing is on the page but what is ours."""
    assert browser.eval("typeof owned") == "undefined"
    assert (
        browser.eval(
            "document.querySelectorAll('img, iframe, object, embed, link, a[href^=\"javascript:\"]').length"
        )
        == 0
    )
    assert browser.eval("[...document.querySelectorAll('*')].some((node) => [...node.attributes].some("
                        "(attribute) => attribute.name.startsWith('on')))") is False  # fmt: skip
    assert browser.eval(LOOK)["wide"] == 0
    assert browser.complaints() == []


@pytest.mark.parametrize("body", HOSTILE)
def test_nothing_in_a_list_is_run(browser, tmp_path, body):
    item = {"status": body, "name": body, "link": f"{quote(body)}/index.html", "cells": [body, body]}
    path = tmp_path / "index.html"
    path.write_text(
        render_list(body, ("ended", "run", body, "why"), [item], status=body, told=body, again=body)
    )
    browser.open(path)
    assert_harmless(browser)


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
    assert "4," in browser.eval("document.querySelector('#range + .notice').textContent")
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
