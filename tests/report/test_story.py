"""The words of `chatsim demo`, when it goes as it should and when it does not."""

from __future__ import annotations

from harness.report import story
from harness.report.look import Look
from tests.report.test_golden import check

PLAIN = Look()


def told(good, bad, look=PLAIN):
    return "\n".join(
        [
            story.opening("The title\n   1  alice comes online\n", look),
            story.act(story.GOOD, look),
            story.verdict(good, look),
            story.act(story.BAD, look),
            story.verdict(bad, look),
            story.moral(good, bad, "reports/x/demo.yaml", "reports/x/broken/index.html", look),
            "",
        ]
    )


def test_as_it_should_go(tell):
    bad = tell("undelivered")
    bad = bad._replace(env={**bad.env, "server": "python -m gallery.serve forgets --data {data}"})
    check("demo.txt", told(tell("passes"), bad))


def test_a_broken_server_that_passes_is_no_success(tell):
    text = told(tell("passes"), tell("passes"))
    assert "This is not how it should have gone" in text


def test_a_good_server_that_could_not_be_started_says_why(tell):
    text = told(tell("not_ready"), tell("undelivered"))
    assert "address already in use" in text
    assert "`chatsim doctor`" in text


def test_in_ascii(tell):
    assert told(tell("passes"), tell("undelivered"), Look(ascii=True)).isascii()
