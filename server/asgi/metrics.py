"""Prometheus metrics: counts and durations of calls, open runs, waiting queries, the age of each run.

With several workers each stores its numbers in shared files, and the worker that answers adds them up. The labels
`tenant` and `tool` come from tokens and from known names, never from text of a caller.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from server.asgi.bearer_auth import caller_of_request
from server.asgi.problems import problem

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from server.serving.audit.call_record import CallRecord
    from server.serving.audit.call_recorder import CallRecorder
    from server.serving.runs.published_runs import PublishedRuns

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Set before the library is loaded: the folder through which workers share their numbers."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "subscriptions/listen",
        "tools/list",
    }
)
OTHER = "other"


class Meters:
    """The metrics of one process."""

    def __init__(self, runs: PublishedRuns, tools: Iterable[str] = ()) -> None:
        """`tools`: names of the tools that MCP offers; every other name a caller sends is counted as `other`."""
        self._known_names = METHODS | set(tools)
        self._runs, self._is_shared = runs, bool(os.environ.get(SHARED))
        self.registry = CollectorRegistry()
        shared = partial(Gauge, registry=self.registry, multiprocess_mode="livesum")
        counter = partial(Counter, registry=self.registry)
        self._calls = counter("gata_calls", "Calls ended.", ("door", "tool", "tenant", "outcome"))
        self._seconds = Histogram(
            "gata_call_seconds",
            "How long a call took, in its queue too.",
            ("door", "tool"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._rows = Counter("gata_answer_rows", "Rows answered.", ("tenant",), registry=self.registry)
        self._bytes = Counter("gata_answer_bytes", "Bytes answered.", ("tenant",), registry=self.registry)
        self._lost = shared("gata_audit_lost_lines", "Calls that could not be written down.")
        self._counts = {
            "running": shared("gata_queries_running", "Queries at work."),
            "waiting": shared("gata_queries_waiting", "Queries waiting for their turn."),
            "open_runs": shared("gata_open_runs", "Published runs that are open."),
            "kept_bytes": shared("gata_kept_answer_bytes", "Memory of answers that are kept."),
        }
        self.registry.register(BuildAges(runs))

    def __call__(self, record: CallRecord) -> None:
        """Count an ended call."""
        tenant, tool = _tenant(record), self._tool(record)
        self._calls.labels(record.interface, tool, tenant, record.outcome or OTHER).inc()
        self._seconds.labels(record.interface, tool).observe(record.seconds)
        self._rows.labels(tenant).inc(record.rows or 0)
        self._bytes.labels(tenant).inc(record.bytes or 0)
        if self._is_shared:  # another worker may answer /metrics
            self._refresh()

    def refresh(self, lost: int) -> None:
        """Set the gauges that are read on request."""
        self._lost.set(lost)
        self._refresh()

    def _refresh(self) -> None:
        for name, count in self._runs.counts().items():
            self._counts[name].set(count)

    def text(self) -> bytes:
        """All metrics in the Prometheus text format."""
        if not self._is_shared:
            return generate_latest(self.registry)
        combined = CollectorRegistry()
        MultiProcessCollector(combined)  # type: ignore[no-untyped-call]
        combined.register(BuildAges(self._runs))
        return generate_latest(combined)

    def _tool(self, record: CallRecord) -> str:
        """The label of a call: a route, a method of MCP or a tool, never text of the caller."""
        if record.interface == "rest" or " /" in record.tool:
            return record.tool
        name = record.tool.partition(" ")[0]
        return name if name in self._known_names else OTHER


class BuildAges(Collector):
    """Collector of the age of each tenant's published run, read from the pointers on request."""

    def __init__(self, runs: PublishedRuns) -> None:
        self._runs = runs

    def collect(self) -> Iterable[Metric]:
        from pipeline.publish.pointer import POINTER

        family = GaugeMetricFamily(
            "gata_run_age_seconds", "Seconds since the run of a tenant was published.", labels=("tenant",)
        )
        for slug in self._runs.slugs():
            try:
                pointer = json.loads((self._runs.settings.published(slug) / POINTER).read_bytes())
                published_at = datetime.fromisoformat(pointer["published_at"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # `gata doctor` says what is wrong with it
            family.add_metric((slug,), (datetime.now(UTC) - published_at).total_seconds())
        yield family


def use_shared_metrics() -> None:
    """Count in the files of PROMETHEUS_MULTIPROC_DIR from now on: the library looks at it when it is imported."""
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]


def metrics_route(meters: Meters, recorder: CallRecorder) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of /metrics: for operators only, because it names every tenant."""

    async def metrics(_: Request) -> Response:
        if caller_of_request().scope != "admin":
            return problem(
                403,
                "This needs a token with the scope admin.",
                "Ask whoever runs gata for one: `gata token create --admin`.",
                headers={"www-authenticate": 'Bearer error="insufficient_scope", scope="admin"'},
            )
        meters.refresh(recorder.lost)
        return Response(await anyio.to_thread.run_sync(meters.text), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return metrics


def _tenant(record: CallRecord) -> str:
    """The tenant of the token; for an operator the tenant of a successful answer."""
    if record.caller is not None and record.caller.tenant is not None:
        return record.caller.tenant
    return record.tenant or "" if record.outcome == "ok" else ""
