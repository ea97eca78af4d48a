"""OpenTelemetry: one span for each call, child of the caller's. Imported when it is asked for; an optional extra.

Where spans go is said by OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_SERVICE_NAME``, ...).
"""

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import chatsys
from chatsys.errors import Code
from chatsys.server.logs import named
from chatsys.server.observe import RequestEnd, Watcher

_OURS = (Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS, Code.UNIMPLEMENTED, Code.DEADLINE_EXCEEDED)
# Codes that make a span of a server an error, by OpenTelemetry's conventions; the others are the caller's.


def make_watcher(provider: Any = None) -> tuple[Watcher, Callable[[], None]]:
    """Makes spans of calls.

    Args:
        provider: A TracerProvider; None makes one that exports by OTLP over HTTP.

    Returns:
        What is told of calls, and what sends the rest when the server ends.

    Raises:
        ImportError: The extra is not there.
    """
    if provider is None:
        provider = _exporting()
    tracer = provider.get_tracer("chatsys", chatsys.__version__)
    propagator = TraceContextTextMapPropagator()

    def watch(end: RequestEnd) -> None:
        now = time.time_ns()
        span = tracer.start_span(
            f"chatsys.v1.{end.method}",
            context=propagator.extract({"traceparent": end.parent}) if end.parent else None,
            kind=trace.SpanKind.SERVER,
            start_time=now - int(end.seconds * 1e9),
            attributes={
                "rpc.system": "grpc",
                "rpc.service": f"chatsys.v1.{end.method.partition('/')[0]}",
                "rpc.method": end.method.partition("/")[2],
                "rpc.grpc.status_code": 0 if end.refusal is None else int(end.refusal.code),
                "enduser.id": named(end.user_id),
                "chatsys.room_id": named(end.room_id),
                "chatsys.request_id": end.request_id,
            },
        )
        if end.refusal is not None:
            span.set_attribute("error.type", str(end.refusal.reason))
            if end.refusal.code in _OURS:
                span.set_status(trace.StatusCode.ERROR)
        span.end(now)

    return watch, provider.shutdown


def _exporting() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # extra
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415  # the same
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # the same
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # the same

    ours = Resource.create({"service.name": "chatsys"})
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes after this, and counts.
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
