"""`/metrics` and spans: what an operator watches, without a value that somebody asked for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
from mcp import Client
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from server.app import http_app
from server.mcp_server.app import mcp_app
from server.mcp_server.audit_middleware import AuditMcpCalls
from server.mcp_server.tool_specs import TOOLS
from server.serving.audit.call_record import CallRecord
from server.serving.audit.call_recorder import CallRecorder
from server.serving.process.tracing import ENDPOINTS, Spans, tracing
from server.serving.rate_limits import RateLimits
from server.serving.runs.published_runs import PublishedRuns
from server.stdio import local_caller
from tests.server.cli_run import ROOT, environment
from tests.server.published_fixture import PublishedHome

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels, in the order of their names."""
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.anyio
async def test_metrics_count_what_was_asked_and_are_for_operators_alone(home: PublishedHome) -> None:
    app = http_app(home.settings.model_copy(update={"audit": "off"}))
    question = {"metrics": ["spend"], "dimensions": ["date"], "limit": 7}
    path = "/semantic-layer/alpha/query"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        size = 0
        for _ in range(3):
            size += len((await http.post(path, json=question, headers=home.headers("alpha"))).content)
        await http.get("/semantic-layer/nobody-at-all", headers=home.headers("admin"))
        await http.request("BREW", "/made/up", headers=home.headers("alpha"))
        assert (await http.get("/metrics")).status_code == 401
        assert (await http.get("/metrics", headers=home.headers("alpha"))).status_code == 403
        told = await http.get("/metrics", headers=home.headers("admin"))
    assert told.headers["content-type"].startswith("text/plain")
    found = numbers(told.text)
    tool = "POST /semantic-layer/{tenant}/query"
    assert found["gata_calls_total", "rest", "ok", "alpha", tool] == 3
    assert found["gata_call_seconds_count", "rest", tool] == 3
    assert found["gata_answer_rows_total", "alpha"] == 21
    assert found["gata_answer_bytes_total", "alpha"] >= size
    assert found["gata_open_runs",] == 1
    assert found["gata_queries_running",] == found["gata_queries_waiting",] == found["gata_audit_lost_lines",] == 0
    assert {name for name, *_ in found if name == "gata_run_age_seconds"}
    assert 0 < found["gata_run_age_seconds", "alpha"] < 3600
    assert "nobody-at-all" not in told.text
    assert "BREW" not in told.text
    assert "made" not in told.text


@pytest.mark.anyio
async def test_names_that_callers_make_up_make_no_new_numbers(home: PublishedHome) -> None:
    from server.asgi.metrics import Meters

    runs, caller = PublishedRuns(home.settings), local_caller("alpha")
    meters = Meters(runs, (tool.name for tool in TOOLS))
    app = mcp_app(runs, lambda: caller)
    app.middleware.append(
        AuditMcpCalls(CallRecorder(RateLimits(per_minute=0, at_once=0, streams=0), None, (meters,)), lambda: caller)
    )
    async with Client(app) as client:
        for number in range(3):
            await client.call_tool(f"made_up_{number}", {})
        await client.call_tool("get_status", {})
    found = numbers(meters.text().decode())
    assert found["gata_calls_total", "stdio", "refused", "alpha", "other"] == 3
    assert found["gata_calls_total", "stdio", "ok", "alpha", "get_status"] == 1


@pytest.mark.anyio
async def test_a_span_says_what_was_called_and_how_it_went_and_no_value(home: PublishedHome) -> None:
    exporter = InMemorySpanExporter()
    spans, caller = Spans(exporter), local_caller("alpha")
    app = mcp_app(PublishedRuns(home.settings), lambda: caller)
    app.middleware.append(
        AuditMcpCalls(CallRecorder(RateLimits(per_minute=0, at_once=0, streams=0), None, (spans,)), lambda: caller)
    )
    asked: dict[str, Any] = {"metrics": ["spend"], "filters": [{"name": "currency", "op": "=", "value": "EUR"}]}
    async with Client(app) as client:
        await client.call_tool("query", asked)
        await client.call_tool("query", {"metrics": ["a secret"]})
    spans(CallRecord("rest", "GET /models", traceparent=TRACE, outcome="failed"))
    spans.flush()
    ok, refused, failed = [span for span in exporter.get_finished_spans() if "query" in span.name or "GET" in span.name]
    assert ok.attributes is not None
    assert (ok.name, ok.attributes["gata.tenant"], ok.attributes["gata.outcome"]) == ("stdio query", "alpha", "ok")
    assert ok.attributes["gata.rows"] == 1
    assert ok.start_time is not None
    assert ok.end_time is not None
    assert ok.end_time > ok.start_time
    assert refused.attributes is not None
    assert refused.attributes["error.type"] == "UnknownName"
    assert failed.parent is not None
    assert format(failed.parent.trace_id, "032x") == TRACE.split("-")[1]
    assert not failed.status.is_ok
    everything = "".join(span.to_json() for span in (ok, refused))
    assert "EUR" not in everything
    assert "a secret" not in everything


def test_spans_are_sent_only_where_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert tracing() == ()
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:1")
    assert len(tracing()) == 1


def test_a_stdio_server_loads_none_of_what_watches_a_server(home: PublishedHome) -> None:
    code = (
        "import sys; from pipeline.config.layers.configuration import read_settings;"
        "from server.stdio import stdio_app;"
        "stdio_app(read_settings(), 'alpha');"
        "print([name for name in ('prometheus_client', 'opentelemetry.sdk', 'jwt', 'fastapi', 'structlog',"
        " 'server.asgi.oauth', 'server.asgi.metrics') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(home.settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
