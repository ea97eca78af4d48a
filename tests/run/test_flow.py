"""One direction of a connection: what comes out is what went in, in its order, whatever the weather."""

import asyncio
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.run.flow import AHEAD, Flow, Weather


class End:
    """Takes what comes, and remembers whether it may be read."""

    def __init__(self):
        self.taken = []
        self.reading = True
        self.news = asyncio.Event()

    def take(self, item):
        self.taken.append(item)
        self.news.set()

    def read(self, go_on):
        self.reading = go_on

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    @property
    def bytes(self):
        return b"".join(item for item in self.taken if isinstance(item, bytes))


def flowing(weather=None):
    weather = weather or Weather(random.Random(1))
    source, sink = End(), End()
    return weather, Flow(weather, source, sink), source, sink


def test_in_fair_weather_everything_passes_at_once():
    async def scenario():
        _, flow, source, sink = flowing()
        flow.feed(b"hello")
        flow.feed("eof")
        assert sink.taken == [b"hello", "eof"]
        assert source.reading

    asyncio.run(scenario())


def test_what_is_held_comes_in_order_with_the_end_behind_it():
    async def scenario():
        weather, flow, source, sink = flowing()
        weather.held = True
        flow.weather_changed()
        assert not source.reading
        flow.feed(b"one ")  # was on its way
        flow.feed(b"two")
        flow.feed("reset")
        assert sink.taken == []
        weather.held = False
        flow.weather_changed()
        assert (sink.bytes, sink.taken[-1]) == (b"one two", "reset")
        assert source.reading

    asyncio.run(scenario())


def test_healing_a_slow_network_lets_go_of_what_is_under_way():
    async def scenario():
        weather, flow, _, sink = flowing()
        weather.latency_s = 3600.0
        flow.feed(b"late")
        weather.latency_s = 0.0
        flow.feed(b" later")
        assert sink.taken == []
        flow.weather_changed()
        assert sink.bytes == b"late later"

    asyncio.run(scenario())


def test_too_much_under_way_stops_the_source():
    async def scenario():
        weather, flow, source, _ = flowing()
        weather.latency_s = 3600.0
        flow.feed(bytes(AHEAD))
        assert source.reading
        flow.feed(b"x")
        assert not source.reading
        flow.mute()
        assert source.reading

    asyncio.run(scenario())


def test_a_narrow_way_passes_pieces():
    async def scenario():
        weather, flow, _, sink = flowing()
        weather.rate = 1_000_000.0
        flow.feed(bytes(100_000))
        await sink.until(lambda: len(sink.bytes) == 100_000)
        assert len(sink.taken) > 1

    asyncio.run(scenario())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=600).map(lambda data: ("feed", data)),
            st.sampled_from([("held", True), ("held", False), ("full", True), ("full", False)]),
            st.floats(0, 0.002).map(lambda s: ("latency_s", s)),
            st.floats(0, 0.002).map(lambda s: ("jitter_s", s)),
            st.sampled_from([None, 500_000.0, 5_000_000.0]).map(lambda rate: ("rate", rate)),
            st.just(("pass", None)),
        ),
        max_size=30,
    )
)
def test_no_weather_loses_doubles_or_reorders_a_byte(doings):
    async def scenario():
        weather, flow, source, sink = flowing()
        sent = b""
        for what, value in doings:
            if what == "feed":
                sent += value
                flow.feed(value)
            elif what == "full":
                flow.sink_full(value)
            elif what == "pass":
                await asyncio.sleep(0)
            else:
                setattr(weather, what, value)
                flow.weather_changed()
        flow.feed("close")
        weather.held = False
        flow.sink_full(False)
        flow.weather_changed()
        await sink.until(lambda: "close" in sink.taken)
        assert (sink.bytes, sink.taken.count("close"), sink.taken[-1]) == (sent, 1, "close")
        assert source.reading

    asyncio.run(scenario())
