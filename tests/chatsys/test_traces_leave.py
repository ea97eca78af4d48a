"""A trace leaves a real server: a small OTLP receiver listens, and reads what came."""

import asyncio
import http.server
import signal
import socket
import threading
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from chatsys.client import Client
from chatsys.store import SqliteStore, StoreError
from tests.chatsys.conftest import SERVE, WITHIN


@pytest.mark.parametrize(("said", "name"), [(None, "chatsys"), ("chat-of-ours", "chat-of-ours")])
def test_a_trace_leaves_for_the_collector(serving, monkeypatch, said, name):
    received: list[tuple[str, bytes]] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Nobody wants to know."""

    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as collector:
        listening = threading.Thread(target=collector.serve_forever)
        listening.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
        if said is not None:
            monkeypatch.setenv("OTEL_SERVICE_NAME", said)
        served = serving(command=[*SERVE, "--tracing"])

        async def play():
            async with Client(served.address, user="alice") as alice:
                await alice.create_room("lobby")
                await alice.send("lobby", "private words")

        asyncio.run(play())
        assert served.stop() == 0  # and sends what is left
        collector.shutdown()
        listening.join()
    assert {path for path, _ in received} == {"/v1/traces"}
    spans = {}
    for _, body in received:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert names["service.name"] == name
            spans |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
    sent = spans["chatsys.v1.ChatService/SendMessage"]
    attributes = {each.key: each.value.string_value for each in sent.attributes}
    assert (attributes["enduser.id"], attributes["chatsys.room_id"]) == ("alice", "lobby")
    assert sent.end_time_unix_nano > sent.start_time_unix_nano
    assert not any(b"private words" in body for _, body in received)


def test_a_collector_that_takes_nothing_keeps_nobody_from_the_log(serving, monkeypatch):
    """A server that is started again must not wait for the traces of the one before."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        served = serving(command=[*SERVE, "--tracing"])

        async def play():
            async with Client(served.address, user="alice") as alice:
                await alice.create_room("lobby")

        asyncio.run(play())
        served.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + WITHIN
        while True:
            try:
                SqliteStore.open(served.data, "the next one").close()
                break
            except StoreError:
                assert time.monotonic() < deadline, "the log was not let go"
        assert served.process.poll() is None, "it has not sent what is left"
        served.kill()
