"""How long was waited for answers and deliveries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.report.html.latency import BOUNDS, ENOUGH, PARTS, Latencies, bucket
from tests.report.story import MS, Story, a_plan


def times_of(story, end_ms=10_000):
    """{kind: [(bound in ms, how many)]} over the whole run."""
    latencies = Latencies(story.plan)
    for op in story.ops:
        latencies.feed(op)
    found = {}
    for kind in latencies.result(end_ms * MS):
        total = {}
        for part in kind.parts:
            for place, number in part.counts:
                bound = round(BOUNDS[place] / MS, 1)
                total[bound] = total.get(bound, 0) + number
        assert sum(total.values()) == kind.total
        found[kind.name] = sorted(total.items())
    return found


def audience():
    """A story with as many clients as make a plot, beside the usual ones."""
    return Story(a_plan(cast=("alice", "bob", "chad", *(f"user-{n}" for n in range(ENOUGH)))))


def crowd(story, ms=9_000, number=ENOUGH):
    """Deliveries that make a plot worth while: each comes at once."""
    story.op(ms, "bob", "invoke", "send", story.message(id="crowd", client_message_id="crowd"), op=9_000)
    story.op(ms + 1, "bob", "ok", "send", story.message(id="crowd", client_message_id="crowd"), op=9_000)
    for place in range(number):
        story.op(ms, f"user-{place}", "ok", "deliver", story.message(id="crowd", client_message_id="crowd"))
    return story


def test_few_deliveries_are_no_plot():
    story = audience()
    story.sent()
    assert times_of(crowd(story, number=ENOUGH - 1)) == {}


def test_an_answer_is_waited_for_from_the_first_try():
    story = audience()
    story.sent(500, answer="info UNAVAILABLE")
    story.sent(600)
    assert times_of(crowd(story))["answer"] == [(1.0, 1), (125.9, 1)]  # 102 ms, and that of the crowd


def test_a_delivery_is_waited_for_from_the_answer_and_what_came_before_it_took_no_time():
    story = audience().begin()
    story.op(500, "bob", "invoke", "send", story.message(), op=200)
    story.got(501, "alice")
    story.op(505, "bob", "ok", "send", story.message(sequence=1), op=200)
    story.got(515, "chad")
    story.got(900, "chad")  # once more: only the first counts
    assert times_of(crowd(story))["delivery"] == [(0.1, ENOUGH + 1), (10.0, 1)]


def test_what_nobody_acknowledged_is_not_measured():
    story = audience()
    story.sent(500, answer="info UNAVAILABLE")
    story.got(505, "chad")
    assert times_of(crowd(story))["delivery"] == [(0.1, ENOUGH)]


def test_parts_are_by_when_the_waiting_ended():
    story = audience()
    latencies = Latencies(story.plan)
    for op in crowd(story, ms=9_999).ops:
        latencies.feed(op)
    answer, delivery = latencies.result(10_000 * MS)
    assert len(answer.parts) == PARTS
    assert [place for place, part in enumerate(delivery.parts) if part.counts] == [PARTS - 1]


@given(st.integers(0, 10**13))
def test_a_bucket_is_the_lowest_whose_bound_is_not_below(ns):
    place = bucket(ns)
    assert place == len(BOUNDS) or ns <= BOUNDS[place]
    assert place == 0 or ns > BOUNDS[place - 1]
