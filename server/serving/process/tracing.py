"""A span per call for OpenTelemetry, where the operator has named a collector: what was called and how it went.

No value of an argument and no row is ever in it. The libraries are loaded with the first call, and not at all without
OTEL_EXPORTER_OTLP_ENDPOINT; how and where to send is said by the OTEL_ variables, which OpenTelemetry reads itself.
"""

from __future__ import annotations

import os
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

    from server.serving.audit.call_record import CallRecord

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NANOSECONDS = 1_000_000_000


class Spans:
    """Turns ended calls into spans. They leave in batches, by a thread of the library, so that no answer waits.

    The provider is ours alone: the MCP library's own spans, which may quote an error, are not sent.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        self._exporter = exporter

    def __call__(self, entry: CallRecord) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        begun = int(entry.at.timestamp() * NANOSECONDS)
        parent = TraceContextTextMapPropagator().extract({"traceparent": entry.traceparent or ""})
        span = self._tracer.start_span(
            f"{entry.door} {entry.tool}",
            context=parent,
            kind=SpanKind.SERVER,
            start_time=begun,
            attributes={name: value for name, value in _attributes(entry).items() if value is not None},
        )
        if entry.outcome == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + int(entry.seconds * NANOSECONDS))

    @cached_property
    def _tracer(self) -> Tracer:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "gata"}
        provider = TracerProvider(resource=Resource.create({**named, "service.version": version("gata")}))
        provider.add_span_processor(BatchSpanProcessor(self._exporter or OTLPSpanExporter()))
        self._provider = provider
        return provider.get_tracer("gata")

    def flush(self) -> None:
        """Wait until what ended so far has been sent."""
        if "_tracer" in self.__dict__:
            self._provider.force_flush()


def tracing() -> tuple[Spans, ...]:
    """The observer that sends spans, where an endpoint is named; else none.

    Raises:
        MissingExtra: An endpoint is named, and nothing is installed that sends.
    """
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if named is None:
        return ()
    from pipeline.extras import require_extra

    require_extra("otel", f"{named} is set, and sending traces")
    return (Spans(),)


def _attributes(entry: CallRecord) -> dict[str, str | int | None]:
    return {
        "gata.door": entry.door,
        "gata.tool": entry.tool,
        "gata.tenant": entry.tenant or (entry.who.tenant if entry.who else None),
        "gata.token_id": entry.who.token_id if entry.who else None,
        "gata.call_id": entry.id,
        "gata.outcome": entry.outcome,
        "gata.run_id": entry.run_id,
        "gata.rows": entry.rows,
        "gata.bytes": entry.bytes,
        "error.type": entry.error,
        "http.response.status_code": entry.status,
    }
