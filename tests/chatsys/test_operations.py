"""What an operator sees and does: logs, metrics, health, traces, and a server that leaves in good order."""

import asyncio
import http.client
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from chatsys.errors import Reason, Refusal
from chatsys.server import logs, tracing
from chatsys.server.observe import RequestEnd, RequestIds, all_of
from chatsys.v1 import admin_pb2

SERVE = [sys.executable, "-m", "chatsys.server.main"]
SERVICES = ("", "chatsys.v1.ChatService", "chatsys.v1.AdminService")
"""Whose health is told: the whole of it, and each service."""
END = RequestEnd("ChatService/SendMessage", False, "id-1", "alice", "lobby", None, 0.002, "")


def page(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def samples(text: str) -> dict[Any, float]:
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--metrics-port", "0"])
    port = served.ready["metrics_port"]
    seen: dict[Any, float] = {}

    async def body():
        async with stubs(served.address) as as_user:
            await as_user("root").create("r", "alice", "bob")
            stream = as_user("bob").subscribe(max_unacked_messages=1)
            await stream.read()
            await as_user("alice").send("r", "hi")
            await stream.read()
            with refused("NOT_A_MEMBER"):
                await as_user("doug").send("r", "hi")
            seen.update(samples((await asyncio.to_thread(page, port))[1]))
            stream.cancel()

    play(body())
    assert seen["chatsys_requests_total", "ChatService/SendMessage", "OK"] == 1
    assert seen["chatsys_requests_total", "ChatService/SendMessage", "PERMISSION_DENIED"] == 1
    assert seen["chatsys_refusals_total", "NOT_A_MEMBER"] == 1
    assert seen["chatsys_request_seconds_count", "ChatService/SendMessage"] == 2
    assert seen["chatsys_streams",] == seen["chatsys_streams_full",] == seen["chatsys_delivered_total",] == 1
    assert seen["chatsys_entries",] >= 2
    assert seen["process_open_fds",] > 0
    assert page(port, "/healthz") == (200, "serving\n")
    assert page(port, "/healthz", "HEAD") == (200, "")
    assert page(port, "/")[0] == 404
    assert page(port, "/metrics", "POST")[0] == 405
    assert served.stop() == 0


def test_a_metrics_port_that_is_taken(serving):
    first = serving(command=[*SERVE, "--metrics-port", "0"])
    taken = str(first.ready["metrics_port"])
    command = [*SERVE, "--port", "0", "--data", str(first.data / "other"), "--metrics-port", taken]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert f"cannot serve metrics on 127.0.0.1:{taken}: " in ended.stderr
    assert "choose another --metrics-port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_metrics_host_that_can_be_none(tmp_path):
    command = [
        *SERVE,
        "--port",
        "0",
        "--data",
        str(tmp_path),
        "--metrics-port",
        "0",
        "--metrics-host",
        "a..b",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert "cannot serve metrics on a..b:0: it is no name of a host; choose another" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_json_logs_and_request_ids(tmp_path, stubs, play):
    process = subprocess.Popen(
        [*SERVE, "--port", "0", "--data", str(tmp_path), "--log-format", "json", "--log-requests", "all"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"127.0.0.1:{json.loads(process.stdout.readline())['port']}"

    async def body():
        async with stubs(address) as as_user:
            root = as_user("root")
            root.metadata += (("chatsys-request", "mine-1"),)
            await root.create("r", "alice")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await as_user("doug").send("r", "very private words")
            trailer = dict(caught.value.trailing_metadata() or ())
            return trailer["chatsys-request"]

    request_id = play(body())
    process.terminate()
    _, errors = process.communicate(timeout=10)
    lines = [json.loads(line) for line in errors.splitlines()]
    made, refused = (line for line in lines if line["event"] == "request")
    assert (made["request_id"], made["status"], made["user_id"]) == ("mine-1", "OK", "root")
    assert {
        key: refused[key] for key in ("request_id", "method", "user_id", "room_id", "status", "reason")
    } == {
        "request_id": request_id,
        "method": "ChatService/SendMessage",
        "user_id": "doug",
        "room_id": "r",
        "status": "PERMISSION_DENIED",
        "reason": "NOT_A_MEMBER",
    }
    assert 0 < refused["seconds"] < 10
    assert {"level", "logger", "timestamp"} <= set(refused)
    assert lines[-1]["event"] == "left"
    assert "very private" not in errors


@pytest.mark.parametrize(
    ("which", "end", "logged"),
    [
        ("all", END, True),
        ("failed", END, False),
        ("failed", END._replace(refusal=Refusal.not_a_member("lobby")), True),
        ("failed", END._replace(seconds=1.5), True),
        ("failed", END._replace(seconds=1.5, lasts=True), False),
    ],
)
def test_which_calls_are_logged(caplog, which, end, logged):
    caplog.set_level(logging.INFO)
    logs.request_logger(which)(end)
    assert len(caplog.records) == logged


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_looks_like_a_token_is_blotted_out(form):
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlc2lnbmF0dXJl"
    record = logging.LogRecord("x", logging.INFO, "", 0, "got %s", (token,), None)
    formatter = logs._json_formatter() if form == "json" else logs._Text()
    assert token not in formatter.format(record)
    assert "(a token)" in formatter.format(record)


def test_a_request_id_is_the_callers_if_it_is_one():
    ids = RequestIds("abc")
    assert [ids.get("mine-1"), ids.get(""), ids.get("a b"), ids.get("x" * 65)] == [
        "mine-1",
        "abc-1",
        "abc-2",
        "abc-3",
    ]


def test_nobody_is_told_when_nobody_watches():
    told: list[RequestEnd] = []
    assert all_of([]) is None
    both = all_of([told.append, told.append])
    assert both is not None
    both(END)
    assert told == [END, END]


def test_spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    watch, flush = tracing.make_watcher(provider)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    watch(END._replace(parent=f"00-{trace_id}-b7ad6b7169203331-01"))
    watch(END._replace(refusal=Refusal(Reason.BUG, "")))
    watch(END._replace(refusal=Refusal.not_a_member("lobby")))
    flush()
    good, bad, theirs = exporter.get_finished_spans()
    assert good.name == "chatsys.v1.ChatService/SendMessage"
    assert good.context is not None
    assert f"{good.context.trace_id:032x}" == trace_id
    assert good.end_time is not None and good.start_time is not None  # noqa: PT018  # for the type checker
    assert good.end_time - good.start_time == 2_000_000
    assert [span.status.is_ok for span in (good, bad, theirs)] == [True, False, True]
    assert bad.attributes is not None
    assert bad.attributes["error.type"] == "BUG"


def test_each_service_has_its_health(served, play):
    async def body():
        async with grpc.aio.insecure_channel(served.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in SERVICES:
                answer = await health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await health.Check(health_pb2.HealthCheckRequest(service="nothing"), timeout=5)
            assert caught.value.code() is grpc.StatusCode.NOT_FOUND

    play(body())


def leave_by_signal(served, as_user):
    async def leave():
        served.process.send_signal(signal.SIGTERM)

    return leave


def leave_by_call(served, as_user):
    async def leave():
        drained = await as_user("root").DrainServer(admin_pb2.DrainServerRequest(grace=Duration(seconds=60)))
        assert drained.open_streams == 1

    return leave


@pytest.mark.parametrize("by", [leave_by_signal, leave_by_call])
def test_streams_are_told_and_may_finish(serving, stubs, play, refused, texts, by: Callable[..., Any]):
    served = serving(command=[*SERVE, "--drain", "60s"])

    async def body():
        async with stubs(served.address) as as_user, grpc.aio.insecure_channel(served.address) as channel:
            await as_user("root").create("r", "alice", "bob")
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=20)
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            stream = as_user("bob").subscribe()
            await stream.read()
            sender = as_user("alice").SendMessages()
            await as_user("alice").send("r", "hi")
            await by(served, as_user)()
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            for service in SERVICES:
                said = await health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(service=service), timeout=10
                )
                assert said.status == health_pb2.HealthCheckResponse.NOT_SERVING, service
            frames = [await stream.read(), await stream.read()]
            told = next(frame for frame in frames if frame.HasField("drain_in"))
            assert 50 < told.drain_in.seconds <= 60
            assert texts(delta for frame in frames for delta in frame.deltas) == ["hi"]
            with refused("DRAINING"):
                await as_user("alice").send("r", "late")
            with refused("DRAINING"):
                await sender.read()
            assert served.process.poll() is None, "the stream has not left"
            stream.cancel()
            watch.cancel()
            assert await asyncio.to_thread(served.process.wait, 10) == 0

    play(body())


def test_a_second_signal_is_urgent(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--drain", "60s"])

    async def body():
        async with stubs(served.address) as as_user:
            stream = as_user("bob").subscribe()
            await stream.read()
            served.process.send_signal(signal.SIGTERM)
            while not (await stream.read()).HasField("drain_in"):
                pass
            served.process.send_signal(signal.SIGINT)
            assert await asyncio.to_thread(served.process.wait, 10) == 0

    play(body())


def test_who_does_not_leave_is_ended(serving, stubs, play, refused):
    served = serving(command=[*SERVE, "--drain", "100ms"])

    async def body():
        async with stubs(served.address) as as_user:
            stream = as_user("bob").subscribe()
            await stream.read()
            served.process.send_signal(signal.SIGTERM)
            with refused("DRAINING"):
                while await stream.read() is not grpc.aio.EOF:
                    pass
                await stream
        assert await asyncio.to_thread(served.process.wait, 10) == 0

    play(body())
