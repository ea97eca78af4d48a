"""Prometheus metrics, and the little HTTP server that shows them. Imported when they are asked for.

What can be read off the server is read when somebody looks; only calls are counted as they go. The page is served
in the event loop, so a look is one consistent moment, and there is no thread to be forked or waited for.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

import chatsys
from chatsys.server.observe import RequestEnd
from chatsys.server.services import House

MAX_REQUEST = 8 * 1024
PATIENCE = 5.0
"""Seconds that a client of the page has to ask and to take the answer."""
_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "Content-Length: {length}\r\nConnection: close\r\n\r\n"
)
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All metrics of one server.

    Args:
        house: What is looked at.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._registry = prometheus.CollectorRegistry(auto_describe=False)
        self._requests = prometheus.Counter(
            "chatsys_requests", "Calls that ended.", ("method", "code"), registry=self._registry
        )
        self._refusals = prometheus.Counter(
            "chatsys_refusals", "Calls that ended with an error.", ("reason",), registry=self._registry
        )
        self._seconds = prometheus.Histogram(
            "chatsys_request_seconds",
            "How long calls took that do not last.",
            ("method",),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._children: dict[tuple[str, str], Any] = {}
        self._timers: dict[str, Any] = {}
        self._registry.register(_State(house))
        prometheus.ProcessCollector(registry=self._registry)
        prometheus.PlatformCollector(registry=self._registry)

    def watch(self, end: RequestEnd) -> None:
        """Counts one call."""
        refusal = end.refusal
        key = (end.method, "OK" if refusal is None else refusal.code.name)
        child = self._children.get(key)
        if child is None:  # labels() takes longer than all the rest of this
            child = self._children[key] = self._requests.labels(*key)
        child.inc()
        if refusal is not None:
            self._refusals.labels(str(refusal.reason)).inc()
        if not end.lasts:
            timer = self._timers.get(end.method)
            if timer is None:
                timer = self._timers[end.method] = self._seconds.labels(end.method)
            timer.observe(end.seconds)

    def page(self) -> bytes:
        """The metrics now, in Prometheus' text format."""
        return prometheus.generate_latest(self._registry)


class _State(Collector):
    """What is read off the server when somebody looks."""

    def __init__(self, house: House) -> None:
        self._house = house

    def collect(self) -> Iterator[Any]:
        """All of it."""
        hub, store = self._house.hub, self._house.store
        info = GaugeMetricFamily("chatsys_info", "Always 1.", labels=("version", "instance", "log_epoch"))
        info.add_metric((chatsys.__version__, self._house.instance_id, store.epoch), 1)
        yield info
        yield GaugeMetricFamily("chatsys_entries", "Entries in the log, as published.", value=hub.position)
        streams = tuple(hub.streams.values())
        yield GaugeMetricFamily("chatsys_streams", "Open Subscribe streams.", value=len(streams))
        full = sum(1 for stream in streams if stream.window_full)
        yield GaugeMetricFamily(
            "chatsys_streams_full", "Streams whose reader has to acknowledge first.", value=full
        )
        readers = sum(map(len, hub.by_user.values()))
        yield GaugeMetricFamily("chatsys_readers", "Streams and polls that wait.", value=readers)
        tasks = len(asyncio.all_tasks())
        yield GaugeMetricFamily("chatsys_tasks", "Tasks of the event loop, idle ones too.", value=tasks)
        yield CounterMetricFamily("chatsys_delivered", "Messages written to streams.", value=hub.delivered)
        yield GaugeMetricFamily("chatsys_draining", "1 while the server leaves.", value=int(hub.draining))


async def serve(metrics: Metrics, host: str, port: int, serving: Callable[[], bool]) -> asyncio.Server:
    """Serves ``/metrics``, and ``/healthz`` for those who cannot speak gRPC.

    Args:
        metrics: What is shown.
        host: Address to listen on.
        port: 0 lets the system choose.
        serving: Whether the server takes calls.

    Raises:
        OSError: It cannot listen there.
    """

    def answer(request: bytes) -> tuple[str, bytes]:
        method, _, rest = request.partition(b" ")
        path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return "405 Method Not Allowed", b"only GET\n"
        if path == b"/metrics":
            return "200 OK", metrics.page()
        if path == b"/healthz":
            return ("200 OK", b"serving\n") if serving() else ("503 Service Unavailable", b"not serving\n")
        return "404 Not Found", b"there are /metrics and /healthz\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(PATIENCE):
                request = await reader.readuntil(b"\r\n\r\n")
                status, body = answer(request)
                head = _HEAD.format(status=status, length=len(body)).encode()
                writer.write(head if request.startswith(b"HEAD") else head + body)
                await writer.drain()
        writer.close()

    return await asyncio.start_server(handle, host, port, limit=MAX_REQUEST)
