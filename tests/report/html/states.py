"""Every state that a page can be in, as pages: those of the stories that look different, and some of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable

from harness.model.verdict import RunStatus, Violation
from harness.report.html.page import Page, compose
from tests.report.stories import STORIES
from tests.report.story import USUAL, Story, a_plan, bad, good, story_of


def page_of(row) -> Page:
    """The page of a row that was told."""
    story = story_of(row)
    return compose(row, story.ops, story.logs)


@functools.cache
def storm() -> Page:
    """Fifty people, 120 messages, two crashes of the server, one of a client, violations of three kinds."""
    cast = tuple(f"user-{n}" for n in range(1, 51))
    story = Story(a_plan(name="storm", cast=cast)).begin()
    sends, seen = [], []
    for number in range(120):
        name, sender, now = f"@w{number}", cast[number % 50], 600 + 50 * number
        value = story.message(id=name, client_message_id=name, sender=sender, text=f"message {number}")
        sends.append(story.op(now, sender, "invoke", "send", value, op=1_000 + number))
        if number in (40, 80):
            _strike(story, now, "server", 2_000 + number)
        for place, client in enumerate(cast[:-1]):
            if client != sender and (number, client) != (70, "user-9"):
                seen.append(
                    story.op(
                        now + 2 + place * 0.4, client, "ok", "deliver", {**value, "sequence": number + 1}
                    )
                )
        if number == 60:
            _strike(story, now, "user-3", 2_060)
        answer = {**value, "sequence": number + 1}
        story.op(now + 5 + number % 7 * 4, sender, "ok", "send", answer, op=1_000 + number)
    outside = [
        Violation(
            kind="leak",
            sentence=f"user-50 got `@w{n}`: user-50 was not a member",
            ops=(sends[n],),
            pointers=("/steps/1",),
            clients=("user-50",),
            messages=(f"@w{n}",),
        )
        for n in range(40)
    ]
    missed = Violation(
        kind="undelivered",
        sentence="user-9 never got `@w70`, which was acknowledged to user-21",
        ops=(sends[70], seen[70 * 48]),
        pointers=("/steps/1",),
        clients=("user-9",),
        messages=("@w70",),
    )
    again = Violation(
        kind="redelivered-without-cause",
        sentence="user-2 got `@w3` twice",
        clients=("user-2",),
        messages=("@w3",),
    )
    return page_of(
        story.end(6_900).judged(
            RunStatus.FAIL,
            bad("no-loss", missed),
            bad("no-duplicate", again, again),
            bad("members-only", *outside),
            good("one-order", evidence={"by position": 120}),
            reason=missed.sentence,
        )
    )


def _strike(story: Story, now: float, name: str, number: int) -> None:
    """Kill a process and start it again."""
    story.op(now + 1, "nemesis", "invoke", "kill", {"targets": [name], "id": f"f{number}"}, op=number)
    gone = {"pid": 4_000, "code": None, "signal": 9, "asked": True}
    story.op(now + 1.2, name, "ok", "exit", gone)
    story.op(now + 1.3, "nemesis", "ok", "kill", {}, op=number)
    story.op(now + 1.4, "nemesis", "invoke", "start", {"targets": [name]}, op=number + 500)
    if name == "server":
        story.op(now + 1.5, "server", "ok", "start", {"pid": 4_001, "host": "h", "port": 1, "instance": "b"})
    story.op(now + 1.6, "nemesis", "ok", "start", {}, op=number + 500)


def partial() -> Page:
    """A run of which only the begin can be read."""
    page = page_of(STORIES["interrupted"]())
    return page._replace(partial="history.jsonl, line 11: not an operation (JSONDecodeError: what).")


def script_is_wrong() -> Page:
    """Warned of, and still played: three lines are expected of one who is no member, and never come at one moment."""
    story = Story(
        a_plan(warnings=("line 13: doug is not in lobby, where `a` is sent; move it to `not_by`",))
    ).begin()
    for place, name in enumerate("abc"):
        value = story.message(id=name, client_message_id=name)
        story.op(510 + 9 * place, "bob", "invoke", "send", value, op=200 + place, step=1)
        story.op(511 + 9 * place, "alice", "ok", "deliver", {**value, "sequence": place + 1})
        story.op(
            512 + 9 * place, "bob", "ok", "send", {**value, "sequence": place + 1}, op=200 + place, step=1
        )
    asked = {
        "ids": ["a", "b", "c"],
        "received_by": ["doug", "bob", "alice"],
        "missing": [["doug", "a"], ["bob", "a"]],
    }
    story.op(540, "script", "invoke", "expect", asked, op=300, step=2)
    ended = story.op(900, "script", "fail", "expect", asked, op=300, step=2)
    fence = story.fenced(910, "doug")
    missed = [
        Violation(
            kind="missing",
            sentence=f"doug and bob did not get `{name}` within 2 s; it was acknowledged",
            ops=(ended,),
            pointers=("/steps/2/received_by/1",),
            clients=("doug", "bob"),
            messages=(name,),
            hint="doug is no member: the script is probably wrong.",
        )
        for name in "abc"
    ]
    inbox = Violation(
        kind="inbox", sentence="doug never got `a`", ops=(fence,), clients=("doug",), messages=("a",)
    )
    return page_of(
        story.end(1_000).judged(
            RunStatus.FAIL,
            *USUAL,
            bad("expect *", *missed, group="expectation", pointer="/steps/2"),
            bad("inbox of doug", inbox, group="expectation", pointer="/inboxes/doug"),
            reason=missed[0].sentence,
        )
    )


def mixed_up() -> Page:
    """A message that came as from somebody else, and to one with another text."""
    story = Story().begin()
    first, answered = story.sent()
    wrong = story.got(516, "alice", sender="doug")
    story.got(518, "chad", text="Now we are all gone.")
    phantom = Violation(
        kind="phantom",
        sentence="alice got `hello` in lobby from doug, but bob sent it to lobby",
        ops=(first, wrong),
        clients=("alice",),
        messages=("hello",),
    )
    lost = Violation(
        kind="undelivered",
        sentence="alice and chad never got `hello`, which was acknowledged to bob",
        ops=(first, answered, wrong),
        clients=("alice", "chad"),
        messages=("hello",),
    )
    return page_of(
        story.end().judged(
            RunStatus.FAIL, bad("no-loss", lost), bad("no-phantom", phantom), reason=lost.sentence
        )
    )


def nothing() -> Page:
    """A run in which nothing happened, and nothing was judged."""
    return page_of(
        Story().judged(RunStatus.UNKNOWN, *USUAL[2:], reason="nothing was acknowledged and judged")
    )


def long_names() -> Page:
    """People and messages with names as long as they may be, or longer, and without a place to break them."""
    names = tuple(letter * 64 for letter in "ABCD")
    story = Story(a_plan(cast=names, name="n" * 90, title="T" * 200)).begin()
    key = "M" * 100
    value = story.message(id=key, client_message_id=key, sender=names[0], room="r" * 40, text="X" * 300)
    first = story.op(500, names[0], "invoke", "send", value, op=1)
    story.op(505, names[0], "ok", "send", {**value, "sequence": 1}, op=1)
    seen = story.op(510, names[3], "ok", "deliver", {**value, "sequence": 1})
    story.op(520, "nemesis", "invoke", "kill", {"targets": [names[1]], "id": "f"}, op=2)
    story.logs = {name: ["y" * 300] for name in names}
    leak = Violation(
        kind="leak", sentence="S" * 300, ops=(first, seen), clients=names, messages=(key,), hint="h" * 200
    )
    story.env |= {"server": "s" * 200, "command": ["c" * 200]}
    return page_of(story.judged(RunStatus.FAIL, bad("members-only", leak, leak), reason="R" * 300))


def _told(name: str) -> Callable[[], Page]:
    return lambda: page_of(STORIES[name]())


_STORIES = (
    "passes",
    "undelivered",
    "refused",
    "unknown",
    "fifty_clients",
    "hostile",
    "server_died",
    "not_ready",
    "skipped",
    "wide",
)
STATES: dict[str, Callable[[], Page]] = {
    **{name: _told(name) for name in _STORIES},
    "storm": storm,
    "long_names": long_names,
    "partial": partial,
    "script_is_wrong": script_is_wrong,
    "mixed_up": mixed_up,
    "nothing": nothing,
}
