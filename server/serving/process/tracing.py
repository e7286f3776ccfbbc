"""OpenTelemetry tracing: one span per call with its tool and outcome, where the operator has configured a collector.

A span never has the value of an argument, nor a row. The libraries are loaded with the first call, and not at all
without OTEL_EXPORTER_OTLP_ENDPOINT; OpenTelemetry itself reads the OTEL_ variables, which say how and where to send.
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
    """Turns ended calls into spans. A thread of the library exports them in batches, so that no answer waits.

    The provider is used by gata only: the MCP library's own spans, which may quote an error, are not sent.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        self._exporter = exporter

    def __call__(self, record: CallRecord) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        begun = int(record.at.timestamp() * NANOSECONDS)
        parent = TraceContextTextMapPropagator().extract({"traceparent": record.traceparent or ""})
        span = self._tracer.start_span(
            f"{record.interface} {record.tool}",
            context=parent,
            kind=SpanKind.SERVER,
            start_time=begun,
            attributes={name: _whole(value) for name, value in _attributes(record).items() if value is not None},
        )
        if record.outcome == "failed":
            span.set_status(Status(StatusCode.ERROR))
        span.end(begun + int(record.seconds * NANOSECONDS))

    @cached_property
    def _tracer(self) -> Tracer:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        attributes = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "gata"}
        provider = TracerProvider(resource=Resource.create({**attributes, "service.version": version("gata")}))
        provider.add_span_processor(BatchSpanProcessor(self._exporter or OTLPSpanExporter()))
        self._provider = provider
        return provider.get_tracer("gata")

    def flush(self) -> None:
        """Wait until every span that has ended is sent."""
        if "_tracer" in self.__dict__:
            self._provider.force_flush()


def tracing() -> tuple[Spans, ...]:
    """The observer that sends spans, where an endpoint is configured; else an empty tuple.

    Raises:
        MissingExtra: An endpoint is configured, and the exporter is not installed.
    """
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if endpoint is None:
        return ()
    from pipeline.extras import require_extra

    require_extra("otel", f"{endpoint} is set, and sending traces")
    return (Spans(),)


def _whole(value: str | int) -> str | int:
    """A value that the exporter can encode: half a surrogate as its escape."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def _attributes(record: CallRecord) -> dict[str, str | int | None]:
    return {
        "gata.door": record.interface,
        "gata.tool": record.tool,
        "gata.tenant": record.tenant or (record.caller.tenant if record.caller else None),
        "gata.token_id": record.caller.token_id if record.caller else None,
        "gata.call_id": record.id,
        "gata.outcome": record.outcome,
        "gata.run_id": record.run_id,
        "gata.rows": record.rows,
        "gata.bytes": record.bytes,
        "error.type": record.error,
        "http.response.status_code": record.status,
    }
