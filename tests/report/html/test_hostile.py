"""Whatever strangers wrote, wherever it stands on a page: it is shown, and does nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from harness.model.cast import Room
from harness.model.verdict import RunStatus, Violation
from harness.report.html.render import render_list
from tests.report.html.states import page_of
from tests.report.story import SOURCE, Story, a_plan, bad

pytestmark = pytest.mark.needs("chromium")

LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")

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
